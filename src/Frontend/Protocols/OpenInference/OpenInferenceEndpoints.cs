using System.Globalization;
using System.Net.Mime;
using System.Reflection;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Contracts.Models;
using Detection.Frontend.Http;
using Detection.Frontend.Http.Access;
using Detection.Frontend.Http.Browsers;
using Detection.Frontend.Http.OpenApi;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;
using Detection.Hosting.Health;
using Detection.Hosting.Telemetry;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace Detection.Frontend.Protocols.OpenInference;

/// <summary>
/// The Open Inference Protocol (KServe v2) over REST, with the binary tensor data extension that Triton's HTTP clients use.
/// </summary>
internal static class OpenInferenceEndpoints
{
    /// <summary>Header of requests and answers: length of the JSON before binary data, in bytes.</summary>
    public const string HeaderLength = "Inference-Header-Content-Length";

    private const string Prefix = "/v2";
    /// <summary>Part of the names of the operations that have a version in their path.</summary>
    private const string VersionOperation = "Version";

    private const string Json = MediaTypeNames.Application.Json;
    private const string Binary = MediaTypeNames.Application.Octet;

    private static readonly string Version = typeof(OpenInferenceEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    public static void AddOpenInference(this IServiceCollection services)
    {
        services.AddJson(OpenInferenceJson.Default);
        services.AddSingleton(new ProtocolFailures(Prefix, new OpenInferenceFailureForm()));
        services.ExposeHeaders(HeaderLength);
        services.AddProbePaths("/v2/health");
    }

    public static void MapOpenInference(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup(Prefix).WithTags("OpenInference").WithMetadata(new OpenInferenceFailureForm());
        group.MapGet("", static () => TypedResults.Json(new ServerMetadata("detection", Version, ["binary_tensor_data"]), OpenInferenceJson.Default.ServerMetadata))
            .Describe<ServerMetadata>("InferenceServer", "Read the server's metadata");
        group.MapGet("health/live", static () => TypedResults.Json(new ServerLive(true), OpenInferenceJson.Default.ServerLive))
            .Describe<ServerLive>("InferenceServerLive", "Check whether the process answers").AllowAnonymous();
        group.MapGet("health/ready", ReadyAsync).Describe<ServerReady>("InferenceServerReady", "Check whether requests can be served").AllowAnonymous();
        group.MapGet("models/{model}", DescribeModelAsync).Describe<ModelMetadata>("InferenceModel", "Read a model's metadata");
        group.MapGet("models/{model}/versions/{version}", DescribeModelAsync).Describe<ModelMetadata>("InferenceModelVersion", "Read the metadata of a model's version");
        group.MapGet("models/{model}/ready", ModelReadyAsync).Describe<ModelReady>("InferenceModelReady", "Check whether a model is served");
        group.MapGet("models/{model}/versions/{version}/ready", ModelReadyAsync).Describe<ModelReady>("InferenceModelVersionReady", "Check whether a version of a model is served");
        group.MapPost("models/{model}/infer", InferAsync).DescribeInfer("Infer");
        group.MapPost("models/{model}/versions/{version}/infer", InferAsync).DescribeInfer("InferVersion");
    }

    private static RouteHandlerBuilder Describe<T>(this RouteHandlerBuilder route, string name, string summary) => route
        .WithName(name)
        .WithSummary(summary)
        .WithDescription(summary + " (Open Inference Protocol).")
        .WithOperation(static (operation, _) => DescribeVersion(operation))
        .Produces<T>(StatusCodes.Status200OK, Json)
        .Produces<OpenInferenceFailure>(StatusCodes.Status404NotFound, Json)
        .Produces<OpenInferenceFailure>(StatusCodes.Status503ServiceUnavailable, Json);

    private static void DescribeInfer(this RouteHandlerBuilder route, string name) => route
        .WithName(name)
        .WithSummary("Find objects with the Open Inference Protocol")
        .WithDescription("""
            The input is `image`, BYTES [1]: the encoded picture, in base64 in the JSON or as binary data. The outputs are `boxes` FP32 [n,4]
            (x1, y1, x2, y2 in pixels), `scores` FP32 [n], `class_ids` INT32 [n] and `labels` BYTES [n], the highest score first.
            The input may also be binary data of UINT8: an encoded picture [n], or pixels [height,width,3]. With `Inference-Header-Content-Length: 0` the whole body is the picture.
            Parameters: `threshold`, `iou` (0 to 1) and `timeout` (microseconds).
            """)
        .Produces<object>(StatusCodes.Status200OK, Json, Binary)
        .Produces<OpenInferenceFailure>(StatusCodes.Status400BadRequest, Json)
        .Produces<OpenInferenceFailure>(StatusCodes.Status404NotFound, Json)
        .Produces<OpenInferenceFailure>(StatusCodes.Status503ServiceUnavailable, Json)
        .WithOperation(static (operation, _) =>
        {
            DescribeVersion(operation);
            operation.RequestBody = OpenApiParts.Body((Json, new OpenApiSchema { Type = JsonSchemaType.Object }), (Binary, OpenApiParts.Binary("JSON and binary data.")));
        });

    /// <summary>Describes the version, which is not a parameter of the handlers: they serve routes without it too.</summary>
    private static void DescribeVersion(OpenApiOperation operation)
    {
        if (operation.OperationId?.Contains(VersionOperation, StringComparison.Ordinal) != true)
        {
            return;
        }

        operation.Parameters ??= [];
        operation.Parameters.Add(new OpenApiParameter
        {
            Name = "version",
            In = ParameterLocation.Path,
            Required = true,
            Description = "Version of the model: 12 hex digits, as in the model's metadata.",
            Schema = OpenApiParts.Text(),
        });
    }

    private static async Task<IResult> ReadyAsync(HttpContext http, HealthCheckService health)
    {
        var report = await health.CheckHealthAsync(HealthEndpoints.IsReadiness, http.RequestAborted);
        var ready = report.Status != HealthStatus.Unhealthy;
        return TypedResults.Json(
            new ServerReady(ready), OpenInferenceJson.Default.ServerReady, statusCode: ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> DescribeModelAsync(string model, HttpContext http, IDetectionClient client, IClusterReports reports)
    {
        var found = await FindAsync(model, VersionOf(http), http, client, reports);
        return TypedResults.Json(ModelMetadata.Of(found), OpenInferenceJson.Default.ModelMetadata);
    }

    private static async Task<IResult> ModelReadyAsync(string model, HttpContext http, IDetectionClient client, IClusterReports reports)
    {
        await FindAsync(model, VersionOf(http), http, client, reports);
        return TypedResults.Json(new ModelReady(model, true), OpenInferenceJson.Default.ModelReady);
    }

    private static async Task<IResult> InferAsync(
        string model, HttpContext http, IDetectionClient client, UploadBodyReader bodies, IOptions<DetectionClientOptions> limits)
    {
        var cancelled = http.RequestAborted;
        var headerLength = ReadHeaderLength(http.Request);
        using var body = await bodies.ReadAsync(http.Request, cancelled);
        var request = OpenInferenceRequest.Read(body, headerLength, UploadReader.MaxPictureBytes(limits.Value));
        var options = request.Options with { Caller = http.Caller(), Model = VersionOf(http) is not { } version ? model : $"{model}@{version}" };

        var answer = await body.UseAsync(picture => client.DetectAsync(picture, options, cancelled));
        var (bytes, jsonLength) = OpenInferenceAnswer.Write(model, request, answer);
        if (jsonLength is { } length)
        {
            http.Response.Headers[HeaderLength] = length.ToString(CultureInfo.InvariantCulture);
        }

        return TypedResults.Bytes(bytes, jsonLength is null ? Json : Binary);
    }

    // Only some routes have a version, so it cannot be a parameter of a handler that serves them all.
    private static string? VersionOf(HttpContext http) => http.GetRouteValue("version") as string;

    private static int? ReadHeaderLength(HttpRequest request)
    {
        var text = request.Headers[HeaderLength];
        if (text.Count == 0)
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? length
            : throw new ProblemException(ProblemType.InvalidRequest, $"{HeaderLength} must be a whole number.");
    }

    private static async Task<ModelInfo> FindAsync(string model, string? version, HttpContext http, IDetectionClient client, IClusterReports reports)
    {
        // Without a version, return the version that a request would use: silos may have different ones while files are replaced.
        var id = version is null ? model : $"{model}@{version}";
        var named = version is null ? await client.GetModelsAsync(http.RequestAborted) : [];
        if (named.FirstOrDefault(m => m.Name == model) is { } current)
        {
            return current;
        }

        var served = (await reports.GetSilosAsync(http.RequestAborted)).SelectMany(static silo => silo.CurrentModels).ToList();
        return served.FirstOrDefault(m => m.Id == id) ?? throw new ProblemException(
            ProblemType.ModelNotFound,
            $"No model '{CallerText.Show(id)}' is served.{(served.Count == 0 ? "" : $" {NearestName.Proposal(id, [.. served.Select(static m => m.Name).Distinct()], 5)}")}");
    }
}
