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

/// <summary><c>/v1/admin</c>: what administrators do with the cluster. The page <c>/status</c> offers it.</summary>
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
            .WithSummary("Try again now what failed of a model")
            .WithDescription("Every silo with a device reads and loads the model again that it could not read or load, and tries devices again that are out of service with it. The answer comes before that has ended; /v1/status shows it.")
            .Produces<RetryBody>(StatusCodes.Status202Accepted, MediaTypeNames.Application.Json)
            .WithProblems([.. Problems, ProblemType.ModelNotFound])
            .WithParameter("name", "Name of the model, without a version.");
        group.MapPost("silos/{name}/drain", DrainAsync)
            .WithName("DrainSilo")
            .WithSummary("Let a silo finish what it holds and run no model any more")
            .WithDescription("Its batchers claim no more, finish what is on their devices and return the rest to the queue. The silo stays in the cluster and is not ready. Only a restart of its process ends this.")
            .Produces<DrainBody>(StatusCodes.Status202Accepted, MediaTypeNames.Application.Json)
            .WithProblems(Problems)
            .WithParameter("name", "Name of the silo.");
        group.MapGet("given-up", ListGivenUpAsync)
            .WithName("ListGivenUp")
            .WithSummary("Requests that were given up")
            .WithDescription("The last 100, newest first: pictures whose batchers stopped three times, and those on which devices failed three times.")
            .Produces<GivenUpBody>(StatusCodes.Status200OK, MediaTypeNames.Application.Json)
            .WithProblems(Problems);
        group.MapGet("given-up/{imageKey}/picture", FindPictureAsync)
            .WithName("FindGivenUpPicture")
            .WithSummary("The picture of a request that was given up")
            .WithDescription("Its bytes as they were sent, not decoded here. They may do harm to a program that decodes them.")
            .Produces(StatusCodes.Status200OK, contentType: MediaTypeNames.Application.Octet)
            .WithProblems([.. Problems, ProblemType.ResultNotFound])
            .WithParameter("imageKey", "Key of the picture.");
        group.AddEndpointFilter(static (context, next) => context.HttpContext.RequestServices.GetRequiredService<Administrators>().InvokeAsync(context, next));
    }

    private static RouteHandlerBuilder WithParameter(this RouteHandlerBuilder route, string name, string description) =>
        route.WithOperation((operation, _) => operation.Parameters!.Single(parameter => parameter.Name == name).Description = description);

    private static async Task<IResult> RetryAsync(string name, HttpContext http, IClusterAdministration cluster, ILogger<Administrators> logger)
    {
        LogRetry(logger, Who(http), CallerText.Show(name));
        var outcomes = await cluster.RetryModelAsync(name, http.RequestAborted);
        if (outcomes.Values.All(static outcome => outcome == RetryOutcome.NotFound))
        {
            throw new ProblemException(ProblemType.ModelNotFound, $"No silo has a model '{CallerText.Show(name)}', or files of this name.");
        }

        var body = new RetryBody(name, [.. outcomes.Select(static one => new SiloRetryBody(one.Key, one.Value)).OrderBy(static silo => silo.Name, StringComparer.Ordinal)]);
        return TypedResults.Json(body, AdministrationJson.Default.RetryBody, statusCode: StatusCodes.Status202Accepted);
    }

    private static async Task<IResult> DrainAsync(string name, HttpContext http, IClusterAdministration cluster, ILogger<Administrators> logger)
    {
        LogDrain(logger, Who(http), CallerText.Show(name));
        return await cluster.DrainAsync(name, http.RequestAborted)
            ? TypedResults.Json(new DrainBody(name), AdministrationJson.Default.DrainBody, statusCode: StatusCodes.Status202Accepted)
            : throw new ProblemException(ProblemType.NotFound, $"There is no silo '{CallerText.Show(name)}'. GET /v1/status lists the silos.");
    }

    private static async Task<IResult> ListGivenUpAsync(HttpContext http, IClusterAdministration cluster)
    {
        var letters = await cluster.GetGivenUpAsync(http.RequestAborted);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(new GivenUpBody([.. letters.Select(GivenUpItemBody.Of)]), AdministrationJson.Default.GivenUpBody);
    }

    private static async Task<IResult> FindPictureAsync(string imageKey, HttpContext http, IClusterAdministration cluster, ILogger<Administrators> logger)
    {
        LogPicture(logger, Who(http), CallerText.Show(imageKey));
        using var picture = await cluster.FindGivenUpPictureAsync(imageKey, http.RequestAborted)
            ?? throw new ProblemException(ProblemType.ResultNotFound, "No picture of this key was given up, or it has expired.");
        http.Response.Headers.CacheControl = "no-store";
        http.Response.ContentType = MediaTypeNames.Application.Octet;
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{imageKey}\"";
        http.Response.ContentLength = picture.Memory.Length;
        await http.Response.Body.WriteAsync(picture.Memory, http.RequestAborted);
        return TypedResults.Empty;
    }

    private static string Who(HttpContext http) => http.Caller() is { } key ? $"Key '{key}'" : "A caller on this machine";

    [LoggerMessage(1, LogLevel.Warning, "{Who} lets the silos retry the model {Model}.", EventName = "ModelRetried")]
    private static partial void LogRetry(ILogger logger, string who, string model);

    [LoggerMessage(2, LogLevel.Warning, "{Who} drains the silo {Silo}.", EventName = "SiloDrained")]
    private static partial void LogDrain(ILogger logger, string who, string silo);

    [LoggerMessage(3, LogLevel.Information, "{Who} reads the picture {ImageKey}, which was given up.", EventName = "GivenUpPictureRead")]
    private static partial void LogPicture(ILogger logger, string who, string imageKey);
}
