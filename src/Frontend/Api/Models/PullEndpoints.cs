using System.Net.Mime;
using System.Text.Json;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Cluster;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Access;
using Detection.Frontend.Http.OpenApi;
using Detection.Frontend.Http.Problems;
using Detection.Inference.Pulling;
using Microsoft.AspNetCore.Http.Features;

namespace Detection.Frontend.Api.Models;

/// <summary>Models that administrators want in the cluster: <c>POST /v1/models</c>, and <c>/v1/models/{name}/pull</c>.</summary>
internal static partial class PullEndpoints
{
    private const int MaxBodyBytes = 64 * 1024;
    private const string NameDescription = "Name of the model, without a version.";

    private static readonly ProblemType[] Problems = [.. OpenApiParts.ClusterProblems, ProblemType.Forbidden, ProblemType.NotFound];

    public static void MapPulls(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/models").WithTags("Models");
        group.MapPost("", PullAsync)
            .WithName("PullModel")
            .WithSummary("Pull a model from a source")
            .WithDescription("For administrators. Every silo with a device gets the model into its folder of models, also silos that join later: all get the same file. Returns at once; GET /v1/models/{name}/pull shows how far it is.")
            .Accepts<PullBody>(MediaTypeNames.Application.Json)
            .Produces<PullBody>(StatusCodes.Status202Accepted, MediaTypeNames.Application.Json)
            .WithProblems(Problems);
        group.MapGet("{name}/pull", FindAsync)
            .WithName("FindPull")
            .WithSummary("Read how far a model is")
            .WithDescription("For administrators. Returns what each silo has of a model that is pulled, because of POST /v1/models or of the silo's settings.")
            .Produces<PullStateBody>(StatusCodes.Status200OK, MediaTypeNames.Application.Json)
            .WithProblems([.. Problems, ProblemType.ModelNotFound])
            .WithParameter("name", NameDescription);
        group.MapDelete("{name}/pull", WithdrawAsync)
            .WithName("WithdrawPull")
            .WithSummary("Stop pulling a model")
            .WithDescription("For administrators. Silos that do not have the model stop pulling it, and silos that join later do not pull it. Files that are there stay, and are served.")
            .Produces(StatusCodes.Status204NoContent)
            .WithProblems([.. Problems, ProblemType.ModelNotFound])
            .WithParameter("name", NameDescription);
        group.AddEndpointFilter(static (context, next) => context.HttpContext.RequestServices.GetRequiredService<Administrators>().InvokeAsync(context, next));
    }

    private static async Task<IResult> PullAsync(HttpContext http, IClusterAdministration cluster, ILogger<Administrators> logger)
    {
        var body = await ReadAsync(http);
        try
        {
            var order = new PullOrder(body.Name, PullSource.Parse(body.Source), body.Sha256);
            order.Check();
            LogPull(logger, Administrators.Describe(http), body.Name, order.Source.Shown);
        }
        catch (PullException e)
        {
            throw new ProblemException(ProblemType.InvalidRequest, CallerText.Show(e.Message, CallerText.MessageLength), e);
        }

        await cluster.PullModelAsync(body.Name, body.Source, body.Sha256, http.RequestAborted);
        http.Response.Headers.Location = $"/v1/models/{Uri.EscapeDataString(body.Name)}/pull";
        return TypedResults.Json(body with { Source = body.Source.Split('?')[0] }, ModelsJson.Default.PullBody, statusCode: StatusCodes.Status202Accepted);
    }

    private static async Task<PullBody> ReadAsync(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = MaxBodyBytes;
        }

        try
        {
            return await JsonSerializer.DeserializeAsync(http.Request.Body, ModelsJson.Default.PullBody, http.RequestAborted)
                ?? throw new JsonException("The body is null.");
        }
        catch (JsonException e)
        {
            throw new ProblemException(ProblemType.InvalidRequest, "The body is not the JSON that is needed. Use {\"name\": …, \"source\": …, \"sha256\": …}; sha256 may be left out.", e);
        }
    }

    private static async Task<IResult> FindAsync(string name, HttpContext http, IClusterAdministration cluster)
    {
        var (wanted, silos) = await cluster.FindPullAsync(name, http.RequestAborted);
        if (wanted is null && silos.Count == 0)
        {
            throw NotPulled(name);
        }

        http.Response.Headers.CacheControl = "no-store";
        var body = new PullStateBody(
            name,
            wanted?.Source.Split('?')[0],
            wanted?.Pin?.Sha256 ?? wanted?.Sha256,
            wanted?.Pin?.Revision,
            [.. silos.Select(static silo => new SiloPullBody(silo.Key, silo.Value.Source, silo.Value.State, silo.Value.Bytes, silo.Value.Total, silo.Value.Problem)).OrderBy(static silo => silo.Name, StringComparer.Ordinal)]);
        return TypedResults.Json(body, ModelsJson.Default.PullStateBody);
    }

    private static async Task<IResult> WithdrawAsync(string name, HttpContext http, IClusterAdministration cluster) =>
        await cluster.WithdrawPullAsync(name, http.RequestAborted) ? TypedResults.NoContent() : throw NotPulled(name);

    private static ProblemException NotPulled(string name) =>
        new(ProblemType.ModelNotFound, $"The model '{CallerText.Show(name)}' is not pulled from a source. POST /v1/models begins that.");

    [LoggerMessage(4, LogLevel.Warning, "{Who} requested the model {Model} from {Source}; the silos pull it.", EventName = "PullRequested")]
    private static partial void LogPull(ILogger logger, string who, string model, string source);
}

/// <summary>A model that every silo with a device is to have.</summary>
/// <param name="Name">Name of the model: letters, digits, '.', '_' and '-', 64 at most.</param>
/// <param name="Source">Where it comes from, for example hf:OWNER/REPO or https://HOST/PATH. The answer has no query.</param>
/// <param name="Sha256">SHA-256 of the ONNX file, 64 hex digits. Without it, all silos get what the first one finds.</param>
internal sealed record PullBody(string Name, string Source, string? Sha256 = null);

/// <summary>How far a model is.</summary>
/// <param name="Name">Name of the model.</param>
/// <param name="Source">The source of POST /v1/models, without a query; absent when only settings of silos name the model.</param>
/// <param name="Sha256">SHA-256 of the ONNX file that all silos get; absent until it is known.</param>
/// <param name="Revision">State of the source that all silos get, such as a commit; absent until it is known, and for sources that have none.</param>
/// <param name="Silos">The silos that pull it or have pulled it.</param>
internal sealed record PullStateBody(string Name, string? Source, string? Sha256, string? Revision, IReadOnlyList<SiloPullBody> Silos);

/// <summary>How far a silo is.</summary>
/// <param name="Name">Name of the silo.</param>
/// <param name="Source">The source that it uses, without a query. Its settings replace that of POST /v1/models.</param>
/// <param name="State">pulling; done: it is in the folder of models; failed: the last try failed, and the silo tries again.</param>
/// <param name="Bytes">Bytes that have arrived.</param>
/// <param name="Total">Bytes of the files that are known; absent while none is.</param>
/// <param name="Problem">Why the last try failed; absent without a failure.</param>
internal sealed record SiloPullBody(string Name, string Source, PullState State, long Bytes, long? Total, string? Problem);
