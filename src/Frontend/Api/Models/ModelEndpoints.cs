using System.Net.Mime;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Cluster;
using Detection.Contracts.Messages;
using Detection.Contracts.Models;
using Detection.Frontend.Http;
using Detection.Frontend.Http.OpenApi;
using Detection.Frontend.Http.Problems;

namespace Detection.Frontend.Api.Models;

/// <summary><c>/v1/models</c>: the models that the cluster serves now.</summary>
internal static class ModelEndpoints
{
    public static void AddModels(this IServiceCollection services) => services.AddJson(ModelsJson.Default);

    public static void MapModels(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/models").WithTags("Models");
        group.MapGet("", ListAsync)
            .WithName("ListModels")
            .WithSummary("List the models that are served now")
            .WithDescription("Returns one entry per name, with the version that is served.")
            .Produces<ModelsBody>(StatusCodes.Status200OK, MediaTypeNames.Application.Json)
            .WithProblems(ProblemType.Unauthorized, ProblemType.RateLimited, ProblemType.Internal, ProblemType.Unavailable);
        group.MapGet("{name}", FindAsync)
            .WithName("FindModel")
            .WithSummary("Read one model")
            .WithDescription("Returns the version that is served under a name, or the version name@version.")
            .Produces<ModelBody>(StatusCodes.Status200OK, MediaTypeNames.Application.Json)
            .WithProblems(ProblemType.Unauthorized, ProblemType.RateLimited, ProblemType.ModelNotFound, ProblemType.Internal, ProblemType.Unavailable)
            .WithParameter("name", "Name of the model, or name@version.");
    }

    private static async Task<IResult> ListAsync(HttpContext http, IDetectionClient client, IClusterReports reports)
    {
        var models = await client.GetModelsAsync(http.RequestAborted);
        var problems = await ProblemsAsync(http, reports);
        return TypedResults.Json(
            new ModelsBody([.. models.Select(model => ModelBody.Of(model, problems.GetValueOrDefault(model.Name)))]), ModelsJson.Default.ModelsBody);
    }

    private static async Task<IResult> FindAsync(string name, HttpContext http, IDetectionClient client, IClusterReports reports)
    {
        var models = await client.GetModelsAsync(http.RequestAborted);
        var problems = await ProblemsAsync(http, reports);
        var model = models.FirstOrDefault(m => m.Id == name)
            ?? models.FirstOrDefault(m => m.Name == name)
            ?? throw new ProblemException(
                ProblemType.ModelNotFound, problems.TryGetValue(name, out var why) ? $"No silo serves the model '{CallerText.Show(name)}': {why}" : $"No silo serves the model '{CallerText.Show(name)}'.");
        return TypedResults.Json(ModelBody.Of(model, problems.GetValueOrDefault(model.Name)), ModelsJson.Default.ModelBody);
    }

    private static async Task<Dictionary<string, string>> ProblemsAsync(HttpContext http, IClusterReports reports) =>
        SiloReport.ModelProblemsOf(await reports.GetSilosAsync(http.RequestAborted));
}

/// <summary>The models that are served.</summary>
/// <param name="Models">One entry per name, of the version that is served.</param>
internal sealed record ModelsBody(IReadOnlyList<ModelBody> Models);

/// <summary>A model that is served.</summary>
/// <param name="Id">Full name, name@version.</param>
/// <param name="Name">Name in requests.</param>
/// <param name="Version">First 12 hex digits of the SHA-256 over its files.</param>
/// <param name="Family">Family of its head, for example nanodet.</param>
/// <param name="InputWidth">Width of its input, in pixels.</param>
/// <param name="InputHeight">Height of its input, in pixels.</param>
/// <param name="Labels">Class names; a classId is an index into them.</param>
/// <param name="ScoreFloor">Objects below this score are not stored, 0 to 1.</param>
/// <param name="Threshold">Default of the parameter threshold, 0 to 1.</param>
/// <param name="Iou">Default of the parameter iou, 0 to 1.</param>
/// <param name="Problem">Why the newest files of this name are not served, or which output of this version is not valid; absent when there is no problem.</param>
internal sealed record ModelBody(
    string Id,
    string Name,
    string Version,
    string Family,
    int InputWidth,
    int InputHeight,
    IReadOnlyList<string> Labels,
    float ScoreFloor,
    float Threshold,
    float Iou,
    string? Problem)
{
    public static ModelBody Of(ModelInfo model, string? problem) => new(
        model.Id, model.Name, model.Version, model.Family, model.InputWidth, model.InputHeight, model.Labels, model.ScoreFloor, model.Threshold, model.Iou, problem);
}
