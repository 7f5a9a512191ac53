using System.Text.Json;
using System.Text.Json.Nodes;
using Detection.Frontend.Http.Access;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;

namespace Detection.Frontend.Http.OpenApi;

/// <summary>The OpenAPI document as a whole, at <c>/openapi/v1.json</c>.</summary>
internal static class ApiDescription
{
    public const string Document = "v1";

    private const string Bearer = "Bearer";
    private const string KeyNeeded = "An API key, where the server requires one.";

    private static readonly Dictionary<string, string> Tags = new()
    {
        ["Detections"] = "Find objects in pictures.",
        ["Models"] = "The models that are served.",
        ["Cluster"] = "The state of the cluster.",
        ["Administration"] = "What administrators do with the cluster.",
        ["DeepStack"] = "The API of DeepStack and CodeProject.AI.",
        ["OpenInference"] = "The Open Inference Protocol (KServe v2), as Triton's clients use it.",
        ["Legacy"] = "The API of the system that this one replaces.",
    };

    public static void AddApiDescription(this IServiceCollection services) =>
        services.AddOpenApi(Document, static options =>
        {
            options.AddDocumentTransformer(static (document, _, _) =>
            {
                document.Info = new OpenApiInfo
                {
                    Title = "Detection",
                    Version = "1",
                    Description = "Finds objects in pictures. Every failure is a problem document (RFC 9457); the URI of its type answers with a description.",
                    License = new OpenApiLicense { Name = "MIT", Identifier = "MIT" },
                };

                // Relative: behind a proxy this process does not know its own address.
                document.Servers = [new OpenApiServer { Url = "/", Description = "This server." }];
                foreach (var tag in document.Tags ?? new HashSet<OpenApiTag>())
                {
                    tag.Description = Tags.GetValueOrDefault(tag.Name ?? "");
                }

                document.Components ??= new OpenApiComponents();
                document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
                {
                    [ApiKeyHandler.Scheme] = new OpenApiSecurityScheme
                    {
                        Type = SecuritySchemeType.ApiKey,
                        In = ParameterLocation.Header,
                        Name = ApiKeyHandler.Header,
                        Description = KeyNeeded,
                    },
                    [Bearer] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = KeyNeeded },
                };

                // No key, or one of the two: a setting decides whether the server requires keys.
                document.Security =
                [
                    [],
                    new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(ApiKeyHandler.Scheme, document)] = [] },
                    new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Bearer, document)] = [] },
                ];
                return Task.CompletedTask;
            });

            options.AddSchemaTransformer(static (schema, context, _) =>
            {
                if (context.JsonTypeInfo.Type == typeof(ProblemDetails) && context.JsonPropertyInfo is null)
                {
                    schema.Properties ??= new Dictionary<string, IOpenApiSchema>();
                    schema.Properties[Problems.ProblemWriter.ImageKey] = OpenApiParts.Text("Key of the picture, where it is known.");
                    schema.Properties["traceId"] = OpenApiParts.Text("Identifies the request in the server's logs and traces.");
                }

                // The generator does not know the texts that the enums' converters write.
                if (context.JsonTypeInfo.Type.IsEnum)
                {
                    schema.Type = JsonSchemaType.String;
                    schema.Enum = [.. Enum.GetNames(context.JsonTypeInfo.Type).Select(static name => JsonValue.Create(JsonNamingPolicy.CamelCase.ConvertName(name)))];
                }

                return Task.CompletedTask;
            });
        });
}
