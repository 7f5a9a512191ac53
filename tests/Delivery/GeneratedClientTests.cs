namespace Detection.Delivery;

/// <summary>A client that is generated from the document of the running server.</summary>
public sealed class GeneratedClientTests
{
    private const string Kiota = "Microsoft.OpenApi.Kiota";
    private const string KiotaVersion = "1.38.0";

    [Fact]
    public async Task Client_generated_from_the_OpenAPI_document_detects()
    {
        await using var workshop = new Workshop();
        await using var frontend = DetectionProcess.StartFrontend(new Dictionary<string, string?> { [DetectionSettings.Redis] = null });
        await frontend.ReadyAsync();
        workshop.Write("openapi.json", await frontend.Http.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative)));

        await workshop.DotnetAsync("tool", "install", Kiota, "--version", KiotaVersion, "--tool-path", workshop.At("tools"));
        await workshop.RunAsync(
            workshop.At("tools/kiota"),
            [
                "generate", "--language", "CSharp", "--openapi", workshop.At("openapi.json"), "--output", workshop.At("client/Generated"),
                "--class-name", "DetectionHttpClient", "--namespace-name", "Generated", "--exclude-backward-compatible",
                "--include-path", "/v1/detections", "--include-path", "/v1/detections/*", "--include-path", "/v1/models",
            ],
            new Dictionary<string, string?> { ["KIOTA_OFFLINE_ENABLED"] = "true" });
        var sources = Path.Combine(Repository.Root, "tests", "Delivery", "GeneratedClient");
        workshop.Write("client/Client.csproj", await File.ReadAllTextAsync(Path.Combine(sources, "GeneratedClient.csproj.txt")));
        workshop.Write("client/Program.cs", await File.ReadAllTextAsync(Path.Combine(sources, "Program.cs")));
        await workshop.DotnetAsync("build", workshop.At("client"), "-o", workshop.At("built"));

        var written = await workshop.RunAsync("dotnet", [workshop.At("built/Client.dll"), frontend.Url.ToString().TrimEnd('/'), Picture.File]);

        Assert.Matches(@"(?m)^person 0\.\d\d \d+,\d+ \d+,\d+$", written);
        Assert.Contains("again: Cached", written, StringComparison.Ordinal);
        Assert.Contains("problem: /problems/not-a-picture", written, StringComparison.Ordinal);
    }
}
