using System.Globalization;
using System.Net.Mime;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Frontend.Http;
using Detection.Frontend.Http.Access;
using Detection.Frontend.Http.OpenApi;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;

namespace Detection.Frontend.Protocols.DeepStack;

/// <summary>
/// The detection calls of DeepStack and CodeProject.AI, so that camera and home automation software can point here unchanged:
/// <c>POST /v1/vision/detection</c>, <c>POST /v1/vision/custom/{model}</c> for another model than the default one, and
/// <c>POST /v1/vision/custom/list</c> for the names of the models.
/// </summary>
internal static class DeepStackEndpoints
{
    private const string Json = MediaTypeNames.Application.Json;
    private const string ImageField = "image";
    private const string ConfidenceField = "min_confidence";

    public static void AddDeepStack(this IServiceCollection services) => services.AddJson(DeepStackJson.Default);

    public static void MapDeepStack(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/vision").WithTags("DeepStack").WithMetadata(new DeepStackFailureForm());
        Describe(group.MapPost("detection", DetectAsync), "DetectDeepStack", "Find objects, as DeepStack and CodeProject.AI do");
        group.MapPost("custom/list", ListAsync)
            .WithName("ListDeepStackModels")
            .WithSummary("The models, as DeepStack and CodeProject.AI list them")
            .Produces<DeepStackModels>(StatusCodes.Status200OK, Json)
            .Produces<DeepStackFailure>(StatusCodes.Status503ServiceUnavailable, Json);
        Describe(group.MapPost("custom/{model}", DetectWithModelAsync), "DetectDeepStackCustom", "Find objects with a model of your choice, as DeepStack does");
    }

    private static void Describe(RouteHandlerBuilder route, string name, string summary) => route
        .WithName(name)
        .WithSummary(summary)
        .WithDescription("The form that clients of DeepStack and CodeProject.AI send; other fields are taken and ignored, api_key too: a key goes in a header.")
        .Produces<DeepStackBody>(StatusCodes.Status200OK, Json)
        .Produces<DeepStackFailure>(StatusCodes.Status400BadRequest, Json)
        .Produces<DeepStackFailure>(StatusCodes.Status503ServiceUnavailable, Json)
        .WithOperation(static (operation, _) => operation.RequestBody = OpenApiParts.Body((
            MediaTypeNames.Multipart.FormData,
            OpenApiParts.Object(
                (ImageField, OpenApiParts.Binary("The encoded picture.")),
                (ConfidenceField, OpenApiParts.Number("Lowest confidence of an object, 0 to 1. Default: the model's own."))))));

    private static async Task<IResult> ListAsync(HttpContext http, IDetectionClient client)
    {
        var models = await client.GetModelsAsync(http.RequestAborted);
        return TypedResults.Json(
            new DeepStackModels(true, [.. models.Select(static model => model.Name)], StatusCodes.Status200OK), DeepStackJson.Default.DeepStackModels);
    }

    private static Task<IResult> DetectAsync(HttpContext http, IDetectionClient client, UploadFormReader forms, TimeProvider time) =>
        DetectWithModelAsync(null, http, client, forms, time);

    private static async Task<IResult> DetectWithModelAsync(
        string? model, HttpContext http, IDetectionClient client, UploadFormReader forms, TimeProvider time)
    {
        var started = time.GetTimestamp();
        var cancelled = http.RequestAborted;
        using var form = await forms.ReadAsync(http.Request, ImageField, null, cancelled);
        var picture = form.Picture ?? throw new ProblemException(ProblemType.InvalidRequest, $"The form has no file named '{ImageField}'.");
        var options = new DetectionOptions { Caller = http.Caller(), Model = model, Threshold = Confidence(form.Text(ConfidenceField)) };

        var answer = await picture.UseAsync(bytes => client.DetectAsync(bytes, options, cancelled));
        return TypedResults.Json(DeepStackBody.Of(answer, time.GetElapsedTime(started)), DeepStackJson.Default.DeepStackBody);
    }

    private static float? Confidence(string? text)
    {
        if (text is null)
        {
            return null;
        }

        return float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value is >= 0 and <= 1
            ? value
            : throw new ProblemException(ProblemType.InvalidRequest, $"'{ConfidenceField}' must be a number from 0 to 1.");
    }
}
