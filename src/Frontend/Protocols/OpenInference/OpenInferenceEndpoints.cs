using System.Globalization;
using System.Reflection;
using Detection.Client;
using Detection.Contracts.Messages;
using Detection.Contracts.Models;
using Detection.Frontend.Http.Access;
using Detection.Frontend.Http.Health;
using Detection.Frontend.Http.OpenApi;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Protocols.OpenInference;

/// <summary>
/// The Open Inference Protocol (KServe v2) over REST, with the binary tensor data extension, as Triton's HTTP clients speak it.
/// </summary>
internal static class OpenInferenceEndpoints
{
    /// <summary>Length of the JSON before binary data, in bytes; in requests and answers.</summary>
    public const string HeaderLength = "Inference-Header-Content-Length";

    private static readonly string Version = typeof(OpenInferenceEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    public static void MapOpenInference(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v2").WithTags("OpenInference").WithMetadata(new InferenceFailureForm());
        group.MapGet("", static () => TypedResults.Json(new ServerMetadata("detection", Version, ["binary_tensor_data"]), FrontendJson.Default.ServerMetadata))
            .DescribeInference<ServerMetadata>("InferenceServer", "What this server is");
        group.MapGet("health/live", static () => TypedResults.Json(new ServerLive(true), FrontendJson.Default.ServerLive))
            .DescribeInference<ServerLive>("InferenceServerLive", "Whether the process answers").AllowAnonymous();
        group.MapGet("health/ready", ReadyAsync).DescribeInference<ServerReady>("InferenceServerReady", "Whether requests can be served").AllowAnonymous();
        group.MapGet("models/{model}", DescribeModelAsync).DescribeInference<ModelMetadata>("InferenceModel", "A model and its tensors");
        group.MapGet("models/{model}/versions/{version}", DescribeModelAsync).DescribeInference<ModelMetadata>("InferenceModelVersion", "A version of a model and its tensors");
        group.MapGet("models/{model}/ready", ModelReadyAsync).DescribeInference<ModelReady>("InferenceModelReady", "Whether a model is served");
        group.MapGet("models/{model}/versions/{version}/ready", ModelReadyAsync).DescribeInference<ModelReady>("InferenceModelVersionReady", "Whether a version of a model is served");
        group.MapPost("models/{model}/infer", InferAsync).DescribeInfer("Infer");
        group.MapPost("models/{model}/versions/{version}/infer", InferAsync).DescribeInfer("InferVersion");
    }

    private static async Task<IResult> ReadyAsync(HttpContext http, HealthCheckService health)
    {
        var report = await health.CheckHealthAsync(HealthEndpoints.IsReadiness, http.RequestAborted);
        var ready = report.Status != HealthStatus.Unhealthy;
        return TypedResults.Json(
            new ServerReady(ready), FrontendJson.Default.ServerReady, statusCode: ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> DescribeModelAsync(string model, HttpContext http, IDetectionClient client)
    {
        var found = await FindAsync(model, VersionOf(http), http, client);
        return TypedResults.Json(ModelMetadata.Of(found), FrontendJson.Default.ModelMetadata);
    }

    private static async Task<IResult> ModelReadyAsync(string model, HttpContext http, IDetectionClient client)
    {
        await FindAsync(model, VersionOf(http), http, client);
        return TypedResults.Json(new ModelReady(model, true), FrontendJson.Default.ModelReady);
    }

    private static async Task<IResult> InferAsync(
        string model, HttpContext http, IDetectionClient client, UploadBodyReader bodies, IOptions<DetectionClientOptions> limits)
    {
        var cancelled = http.RequestAborted;
        var headerLength = ReadHeaderLength(http.Request);
        using var body = await bodies.ReadAsync(http.Request, cancelled);
        var request = InferenceRequest.Read(body, headerLength, UploadReader.MaxPictureBytes(limits.Value));
        var options = request.Options with { Caller = http.Caller(), Model = VersionOf(http) is not { } version ? model : $"{model}@{version}" };

        DetectionAnswer answer;
        try
        {
            answer = await client.DetectAsync(body.Memory, options, cancelled);
        }
        catch
        {
            // A client that gave up may still have the picture in a write to Redis.
            body.Abandon();
            throw;
        }

        var (bytes, jsonLength) = InferenceAnswer.Write(model, request, answer);
        if (jsonLength is { } length)
        {
            http.Response.Headers[HeaderLength] = length.ToString(CultureInfo.InvariantCulture);
        }

        return TypedResults.Bytes(bytes, jsonLength is null ? "application/json" : "application/octet-stream");
    }

    // Of some of the routes only, so it cannot be a parameter of a handler that serves them all.
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

    private static async Task<ModelInfo> FindAsync(string model, string? version, HttpContext http, IDetectionClient client)
    {
        // Under its name alone, the version that a request would get: silos may have different ones while files are replaced.
        var id = version is null ? model : $"{model}@{version}";
        var named = version is null ? await client.GetModelsAsync(http.RequestAborted) : [];
        return named.FirstOrDefault(m => m.Name == model)
            ?? (await client.GetSilosAsync(http.RequestAborted)).SelectMany(static silo => silo.CurrentModels).FirstOrDefault(m => m.Id == id)
            ?? throw new ProblemException(ProblemType.ModelNotFound, $"No model '{CallerText.Show(id)}' is served.");
    }
}
