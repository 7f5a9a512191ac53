using System.Net.Mime;
using Detection.Frontend.Http;
using Detection.Frontend.Http.Access;
using Detection.Frontend.Http.OpenApi;
using Detection.Hosting.Telemetry;

namespace Detection.Frontend.Api.Status;

/// <summary><c>/v1/status</c>: the state of the cluster, from the reports of its silos. The page <c>/status</c> shows it.</summary>
internal static class StatusEndpoints
{
    private const string StatusPath = "/v1/status";

    public static void AddClusterStatus(this IServiceCollection services)
    {
        services.AddJson(StatusJson.Default);
        services.AddSingleton<ClusterStatus>();
        services.AddProbePaths(StatusPath);
    }

    public static void MapClusterStatus(this IEndpointRouteBuilder routes) =>
        routes.MapGet(StatusPath, ReadAsync).WithTags("Cluster")
            .WithName("ClusterStatus")
            .WithSummary("Read the state of the cluster")
            .WithDescription("Returns the silos with their devices, the queues, the work of the last five minutes, the latest failures, and the state of the models. The page /status shows them.")
            .Produces<StatusBody>(StatusCodes.Status200OK, MediaTypeNames.Application.Json)
            .WithProblems(OpenApiParts.ClusterProblems);

    private static async Task<IResult> ReadAsync(HttpContext http, ClusterStatus cluster, Administrators administrators)
    {
        var status = await cluster.ReadAsync(http.RequestAborted);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(status with { Administration = administrators.RightOf(http) }, StatusJson.Default.StatusBody);
    }
}
