namespace Detection.Delivery;

/// <summary>Linters and a generator of TypeScript read the OpenAPI document of the running server.</summary>
public sealed class DescriptionTests
{
    private static readonly string[] Tools = ["@redocly/cli@2.77.0", "@stoplight/spectral-cli@6.16.3", "openapi-typescript@7.13.0", "typescript@5.9.3"];

    [Fact]
    public async Task Linters_find_nothing_and_TypeScript_can_send_a_version()
    {
        await using var workshop = new Workshop();
        await using var frontend = DetectionProcess.StartFrontend(new Dictionary<string, string?> { [DetectionSettings.Redis] = null });
        await frontend.ReadyAsync();
        workshop.Write("openapi.json", await frontend.Http.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative)));
        workshop.Write("package.json", """{ "private": true }""");

        // The strict rule set reports warnings as errors. The program does not know the contact of the server's operator.
        workshop.Write("redocly.yaml", "extends:\n  - recommended-strict\n");
        workshop.Write(".spectral.yaml", "extends: [\"spectral:oas\"]\nrules:\n  info-contact: off\n");
        workshop.Write("client.ts", """
            import type { paths } from "./api";

            type Version = paths["/v2/models/{model}/versions/{version}"]["get"];
            const path: Version["parameters"]["path"] = { model: "nanodet-g", version: "0123456789ab" };
            const infer: paths["/v2/models/{model}/versions/{version}/infer"]["post"]["parameters"]["path"] = path;
            const query: NonNullable<paths["/v1/detections"]["post"]["parameters"]["query"]> = { threshold: 0.5, model: `${infer.model}@${infer.version}` };
            export { path, query };
            """);
        var quiet = new Dictionary<string, string?> { ["REDOCLY_TELEMETRY"] = "off", ["REDOCLY_SUPPRESS_UPDATE_NOTICE"] = "true" };

        await workshop.RunAsync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", .. Tools]);
        await workshop.RunAsync(workshop.At("node_modules/.bin/redocly"), ["lint", "openapi.json"], quiet);
        await workshop.RunAsync(workshop.At("node_modules/.bin/spectral"), ["lint", "openapi.json", "--fail-severity=hint"]);
        await workshop.RunAsync(workshop.At("node_modules/.bin/openapi-typescript"), ["openapi.json", "--output", "api.ts"]);
        await workshop.RunAsync(workshop.At("node_modules/.bin/tsc"), ["--noEmit", "--strict", "--skipLibCheck", "client.ts"]);
    }
}
