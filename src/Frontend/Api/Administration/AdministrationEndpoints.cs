using System.Net.Mime;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Cluster;
using Detection.Contracts.Messages;
using Detection.Frontend.Http;
using Detection.Frontend.Http.Access;
using Detection.Frontend.Http.OpenApi;
using Detection.Frontend.Http.Problems;

namespace Detection.Frontend.Api.Administration;

/// <summary><c>/v1/admin</c>: calls for administrators of the cluster. The page <c>/status</c> uses them.</summary>
internal static partial class AdministrationEndpoints
{
    private const string Path = "/v1/admin";

    private static readonly ProblemType[] Problems = [.. OpenApiParts.ClusterProblems, ProblemType.Forbidden, ProblemType.NotFound];

    public static void AddAdministration(this IServiceCollection services) => services.AddJson(AdministrationJson.Default);

    public static void MapAdministration(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup(Path).WithTags("Administration");
        group.MapPost("models/{name}/retry", RetryAsync)
            .WithName("RetryModel")
            .WithSummary("Retry a model that failed")
            .WithDescription("Every silo with a device retries to read and load the model, if that failed, and retries devices that are out of service for the model. The answer does not wait for the end; /v1/status shows the result.")
            .Produces<RetryBody>(StatusCodes.Status202Accepted, MediaTypeNames.Application.Json)
            .WithProblems([.. Problems, ProblemType.ModelNotFound])
            .WithParameter("name", "Name of the model, without a version.");
        group.MapPost("silos/{name}/drain", DrainAsync)
            .WithName("DrainSilo")
            .WithSummary("Drain a silo")
            .WithDescription("The batchers of the silo stop claiming, complete the pictures on their devices and return the others to the queue. The silo stays in the cluster and is not ready. It serves again only after a restart of its process.")
            .Produces<DrainBody>(StatusCodes.Status202Accepted, MediaTypeNames.Application.Json)
            .WithProblems(Problems)
            .WithParameter("name", "Name of the silo.");
        group.MapGet("dead-letters", ListDeadLettersAsync)
            .WithName("ListDeadLetters")
            .WithSummary("List dead letters")
            .WithDescription("Returns the last 100 requests that became dead letters, newest first: pictures whose batchers stopped three times, and pictures on which devices failed three times.")
            .Produces<DeadLettersBody>(StatusCodes.Status200OK, MediaTypeNames.Application.Json)
            .WithProblems(Problems);
        group.MapGet("dead-letters/{imageKey}/picture", FindPictureAsync)
            .WithName("FindDeadLetterPicture")
            .WithSummary("Read the picture of a dead letter")
            .WithDescription("Returns the bytes as they were sent. The server does not decode them; they may crash a program that does.")
            .Produces(StatusCodes.Status200OK, contentType: MediaTypeNames.Application.Octet)
            .WithProblems([.. Problems, ProblemType.ResultNotFound])
            .WithParameter("imageKey", "Key of the picture.");
        group.AddEndpointFilter(static (context, next) => context.HttpContext.RequestServices.GetRequiredService<Administrators>().InvokeAsync(context, next));
    }

    private static async Task<IResult> RetryAsync(string name, HttpContext http, IClusterAdministration cluster, ILogger<Administrators> logger)
    {
        LogRetry(logger, Administrators.Describe(http), CallerText.Show(name));
        var outcomes = await cluster.RetryModelAsync(name, http.RequestAborted);
        if (outcomes.Values.All(static outcome => outcome == RetryOutcome.NotFound))
        {
            throw new ProblemException(ProblemType.ModelNotFound, $"No silo has a model or files with the name '{CallerText.Show(name)}'.");
        }

        var body = new RetryBody(name, [.. outcomes.Select(static one => new SiloRetryBody(one.Key, one.Value)).OrderBy(static silo => silo.Name, StringComparer.Ordinal)]);
        return TypedResults.Json(body, AdministrationJson.Default.RetryBody, statusCode: StatusCodes.Status202Accepted);
    }

    private static async Task<IResult> DrainAsync(string name, HttpContext http, IClusterAdministration cluster, ILogger<Administrators> logger)
    {
        LogDrain(logger, Administrators.Describe(http), CallerText.Show(name));
        return await cluster.DrainAsync(name, http.RequestAborted)
            ? TypedResults.Json(new DrainBody(name), AdministrationJson.Default.DrainBody, statusCode: StatusCodes.Status202Accepted)
            : throw new ProblemException(ProblemType.NotFound, $"There is no silo '{CallerText.Show(name)}'. GET /v1/status lists the silos.");
    }

    private static async Task<IResult> ListDeadLettersAsync(HttpContext http, IClusterAdministration cluster)
    {
        var letters = await cluster.GetDeadLettersAsync(http.RequestAborted);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(new DeadLettersBody([.. letters.Select(DeadLetterBody.Of)]), AdministrationJson.Default.DeadLettersBody);
    }

    private static async Task<IResult> FindPictureAsync(string imageKey, HttpContext http, IClusterAdministration cluster, ILogger<Administrators> logger)
    {
        LogPicture(logger, Administrators.Describe(http), CallerText.Show(imageKey));
        using var picture = await cluster.FindDeadLetterPictureAsync(imageKey, http.RequestAborted)
            ?? throw new ProblemException(ProblemType.ResultNotFound, "There is no dead letter with this image key, or its picture has expired.");
        http.Response.Headers.CacheControl = "no-store";
        http.Response.ContentType = MediaTypeNames.Application.Octet;
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{imageKey}\"";
        http.Response.ContentLength = picture.Memory.Length;
        await http.Response.Body.WriteAsync(picture.Memory, http.RequestAborted);
        return TypedResults.Empty;
    }

    [LoggerMessage(1, LogLevel.Warning, "{Who} requested a retry of the model {Model}.", EventName = "ModelRetried")]
    private static partial void LogRetry(ILogger logger, string who, string model);

    [LoggerMessage(2, LogLevel.Warning, "{Who} requested a drain of the silo {Silo}.", EventName = "SiloDrained")]
    private static partial void LogDrain(ILogger logger, string who, string silo);

    [LoggerMessage(3, LogLevel.Information, "{Who} reads the picture {ImageKey} of a dead letter.", EventName = "DeadLetterPictureRead")]
    private static partial void LogPicture(ILogger logger, string who, string imageKey);
}
