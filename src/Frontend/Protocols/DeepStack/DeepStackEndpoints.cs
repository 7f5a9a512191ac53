using System.Net.Mime;
using Detection.Client;
using Detection.Frontend.Http;
using Detection.Frontend.Http.Access;
using Detection.Frontend.Http.OpenApi;
using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.OpenApi;

namespace Detection.Frontend.Protocols.DeepStack;

/// <summary>
/// The detection API of DeepStack and CodeProject.AI, so that camera and home automation software can use this server without changes:
/// <c>POST /v1/vision/detection</c>, <c>POST /v1/vision/custom/{model}</c> for another model than the default one,
/// <c>POST /v1/vision/custom/list</c> for the names of the models, and <c>GET /v1/status/ping</c>.
/// </summary>
internal static class DeepStackEndpoints
{
    private const string Prefix = "/v1/vision";
    private const string Json = MediaTypeNames.Application.Json;

    public static void AddDeepStack(this IServiceCollection services)
    {
        services.AddJson(DeepStackJson.Default);
        services.AddSingleton(new ProtocolFailures(Prefix, new DeepStackFailureForm()));
    }

    public static void MapDeepStack(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup(Prefix).WithTags("DeepStack").WithMetadata(new DeepStackFailureForm(), new DeepStackKey());
        Describe(group.MapPost("detection", DetectAsync), "DetectDeepStack", "Find objects, as DeepStack and CodeProject.AI do");
        group.MapPost("custom/list", ListAsync)
            .WithName("ListDeepStackModels")
            .WithSummary("List the models, as DeepStack and CodeProject.AI do")
            .WithDescription("Returns the names of the models, for /v1/vision/custom/{model}.")
            .Produces<DeepStackModels>(StatusCodes.Status200OK, Json)
            .Produces<DeepStackFailure>(StatusCodes.Status401Unauthorized, Json)
            .Produces<DeepStackFailure>(StatusCodes.Status503ServiceUnavailable, Json);
        group.MapGet("custom/list", ListAsync).ExcludeFromDescription();
        Describe(group.MapPost("custom/{model}", DetectWithModelAsync), "DetectDeepStackCustom", "Find objects with a model of your choice, as DeepStack does");
        routes.MapMethods("/v1/status/ping", [HttpMethods.Get, HttpMethods.Post], Ping).AllowAnonymous().ExcludeFromDescription();
    }

    private static void Describe(RouteHandlerBuilder route, string name, string summary) => route
        .WithName(name)
        .WithSummary(summary)
        .WithDescription("Takes the form that clients of DeepStack and CodeProject.AI send. The fields may also be parameters of the query. Unknown fields are ignored.")
        .Produces<DeepStackBody>(StatusCodes.Status200OK, Json)
        .Produces<DeepStackFailure>(StatusCodes.Status400BadRequest, Json)
        .Produces<DeepStackFailure>(StatusCodes.Status401Unauthorized, Json)
        .Produces<DeepStackFailure>(StatusCodes.Status503ServiceUnavailable, Json)
        .WithOperation(static (operation, _) => operation.RequestBody = OpenApiParts.Body((
            MediaTypeNames.Multipart.FormData,
            OpenApiParts.Object(
                (DeepStackForm.ImageField, OpenApiParts.Binary("The encoded picture.")),
                (DeepStackForm.ConfidenceField, OpenApiParts.Number("Lowest confidence of an object, 0 to 1, or in percent. Default: the threshold of the model.")),
                (DeepStackForm.MaxField, new OpenApiSchema { Type = JsonSchemaType.Integer, Description = "Maximum number of objects to return, those with the highest confidence. Default: all." }),
                (DeepStackForm.LabelsField, OpenApiParts.Text("Labels to return, separated by commas. Default: all.")),
                (DeepStackForm.KeyField, OpenApiParts.Text("An API key, where the server requires one and no header has it."))))));

    private static JsonHttpResult<DeepStackPing> Ping() => TypedResults.Json(new DeepStackPing(true, StatusCodes.Status200OK), DeepStackJson.Default.DeepStackPing);

    private static async Task<IResult> ListAsync(HttpContext http, IDetectionClient client)
    {
        var models = await client.GetModelsAsync(http.RequestAborted);
        return TypedResults.Json(
            new DeepStackModels(true, [.. models.Select(static model => model.Name)], StatusCodes.Status200OK), DeepStackJson.Default.DeepStackModels);
    }

    private static Task<IResult> DetectAsync(HttpContext http, IDetectionClient client, TimeProvider time) => DetectWithModelAsync(null, http, client, time);

    private static async Task<IResult> DetectWithModelAsync(string? model, HttpContext http, IDetectionClient client, TimeProvider time)
    {
        var started = time.GetTimestamp();
        var cancelled = http.RequestAborted;
        var form = new DeepStackForm(await DeepStackKey.ReadFormAsync(http), http.Request.Query);
        var (picture, max, labels) = (form.ReadPicture(), form.ReadMax(), form.ReadLabels());
        var options = new DetectionOptions { Caller = http.Caller(), Model = model, Threshold = form.ReadConfidence() };

        var answer = await picture.UseAsync(bytes => client.DetectAsync(bytes, options, cancelled));
        return TypedResults.Json(DeepStackBody.Of(answer, labels, max, time.GetElapsedTime(started)), DeepStackJson.Default.DeepStackBody);
    }
}
