using System.Net.Mime;
using Detection.Frontend.Protocols.DeepStack;
using Detection.Frontend.Protocols.Legacy;
using Detection.Frontend.Protocols.OpenInference;
using Microsoft.OpenApi;

namespace Detection.Frontend.Http.OpenApi;

/// <summary>What the OpenAPI document says of the operations that speak the protocols of other systems.</summary>
internal static class ProtocolDescriptions
{
    private const string Json = "application/json";
    private const string MultipartForm = "multipart/form-data";
    private const string UrlEncodedForm = "application/x-www-form-urlencoded";

    public static void DescribeDeepStack(this RouteHandlerBuilder route, string name, string summary) => route
        .WithName(name)
        .WithSummary(summary)
        .WithDescription("The form that clients of DeepStack and CodeProject.AI send; other fields are taken and ignored, api_key too: a key goes in a header.")
        .Produces<DeepStackBody>(StatusCodes.Status200OK, Json)
        .Produces<DeepStackFailure>(StatusCodes.Status400BadRequest, Json)
        .Produces<DeepStackFailure>(StatusCodes.Status503ServiceUnavailable, Json)
        .AddOpenApiOperationTransformer(static (operation, _, _) =>
        {
            operation.RequestBody = Form(
                Object(("image", Binary("The encoded picture.")), ("min_confidence", Number("Lowest confidence of an object, 0 to 1. Default: the model's own."))),
                MultipartForm);
            return Task.CompletedTask;
        });

    public static void DescribeDeepStackModels(this RouteHandlerBuilder route) => route
        .WithName("ListDeepStackModels")
        .WithSummary("The models, as DeepStack and CodeProject.AI list them")
        .Produces<DeepStackModels>(StatusCodes.Status200OK, Json)
        .Produces<DeepStackFailure>(StatusCodes.Status503ServiceUnavailable, Json);

    public static void DescribeLegacyText(this RouteHandlerBuilder route) => route
        .WithName("DetectLegacy")
        .WithTags("Legacy")
        .WithSummary("The annotated picture in base64, as the replaced detector answers")
        .Produces<string>(StatusCodes.Status200OK, MediaTypeNames.Text.Plain)
        .AddOpenApiOperationTransformer(static (operation, _, _) =>
        {
            operation.RequestBody = LegacyForm();
            return Task.CompletedTask;
        });

    public static void DescribeLegacyPage(this RouteHandlerBuilder route, string name) => route
        .WithName(name)
        .WithTags("Legacy")
        .WithSummary("A page with the annotated picture, as the replaced web application answers")
        .Produces<string>(StatusCodes.Status200OK, MediaTypeNames.Text.Html)
        .AddOpenApiOperationTransformer(static (operation, _, _) =>
        {
            operation.RequestBody = LegacyForm();
            return Task.CompletedTask;
        });

    public static RouteHandlerBuilder DescribeInference<T>(this RouteHandlerBuilder route, string name, string summary) => route
        .WithName(name)
        .WithSummary(summary)
        .Produces<T>(StatusCodes.Status200OK, Json)
        .Produces<InferenceFailure>(StatusCodes.Status404NotFound, Json)
        .Produces<InferenceFailure>(StatusCodes.Status503ServiceUnavailable, Json);

    public static void DescribeInfer(this RouteHandlerBuilder route, string name) => route
        .WithName(name)
        .WithSummary("Find objects, as the Open Inference Protocol has it")
        .WithDescription("""
            One input, `image`, BYTES [1]: the encoded picture, in base64 in the JSON or as binary data. Outputs: `boxes` FP32 [n,4]
            (x1, y1, x2, y2 in pixels), `scores` FP32 [n], `class_ids` INT32 [n], `labels` BYTES [n], the highest score first.
            Parameters: `threshold`, `iou` (0 to 1) and `timeout` (microseconds).
            """)
        .Produces<object>(StatusCodes.Status200OK, Json, "application/octet-stream")
        .Produces<InferenceFailure>(StatusCodes.Status400BadRequest, Json)
        .Produces<InferenceFailure>(StatusCodes.Status404NotFound, Json)
        .Produces<InferenceFailure>(StatusCodes.Status503ServiceUnavailable, Json)
        .AddOpenApiOperationTransformer(static (operation, _, _) =>
        {
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = true,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [Json] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.Object } },
                    ["application/octet-stream"] = new() { Schema = Binary("JSON and binary data.") },
                },
            };
            return Task.CompletedTask;
        });

    private static OpenApiRequestBody LegacyForm() => Form(
        Object(
            (LegacyEndpoints.LinkField, Text("http(s) URL of the picture.")),
            (LegacyEndpoints.Base64Field, Text("The picture in base64.")),
            (LegacyEndpoints.FileField, Binary("The encoded picture."))),
        UrlEncodedForm, MultipartForm);

    private static OpenApiRequestBody Form(OpenApiSchema schema, params string[] types) => new()
    {
        Required = true,
        Content = types.ToDictionary(static type => type, _ => new OpenApiMediaType { Schema = schema }),
    };

    private static OpenApiSchema Object(params (string Name, OpenApiSchema Schema)[] properties) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = properties.ToDictionary(static p => p.Name, static IOpenApiSchema (p) => p.Schema),
    };

    private static OpenApiSchema Binary(string description) => new() { Type = JsonSchemaType.String, Format = "binary", Description = description };

    private static OpenApiSchema Number(string description) => new() { Type = JsonSchemaType.Number, Description = description };

    private static OpenApiSchema Text(string description) => new() { Type = JsonSchemaType.String, Description = description };
}
