using Detection.Frontend.Http.OpenApi;

namespace Detection.Frontend.Api.Status;

/// <summary><c>/v1/status</c>: the cluster, as its silos report it. The page <c>/status</c> shows it.</summary>
internal static class StatusEndpoints
{
    public static void AddClusterStatus(this IServiceCollection services) => services.AddSingleton<ClusterStatus>();

    public static void MapClusterStatus(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/status", ReadAsync).WithTags("Cluster").DescribeStatus();

    private static async Task<IResult> ReadAsync(HttpContext http, ClusterStatus cluster)
    {
        var status = await cluster.ReadAsync(http.RequestAborted);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(status, FrontendJson.Default.StatusBody);
    }
}
