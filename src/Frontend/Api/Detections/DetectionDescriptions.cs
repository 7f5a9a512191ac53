using System.Net.Mime;
using System.Text.Json.Nodes;
using Detection.Contracts.Answers;
using Detection.Contracts.Requests;
using Detection.Frontend.Http.OpenApi;
using Detection.Frontend.Http.Uploads;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;

namespace Detection.Frontend.Api.Detections;

/// <summary>What the OpenAPI document says of <c>/v1/detections</c>.</summary>
internal static class DetectionDescriptions
{
    private const string Json = MediaTypeNames.Application.Json;

    public static void DescribeDetect(this RouteHandlerBuilder route) => route
        .WithName("Detect")
        .WithSummary("Find objects in a picture")
        .WithDescription("Takes a JPEG, PNG, WebP, GIF (first frame) or BMP, or the URL of one. Answers JSON, or with `Accept: image/jpeg` the picture with the boxes drawn into it.")
        .Produces<DetectionBody>(StatusCodes.Status200OK, Json)
        .Produces<TicketBody>(StatusCodes.Status202Accepted, Json)
        .WithProblems([
            .. OpenApiParts.ClusterProblems, ProblemType.NotAPicture, ProblemType.UrlNotAllowed, ProblemType.ModelNotFound, ProblemType.UploadTimeout,
            ProblemType.TooLarge, ProblemType.UnsupportedMediaType, ProblemType.UnsupportedPicture, ProblemType.Undecodable,
            ProblemType.InferenceFailed, ProblemType.UrlNotReachable, ProblemType.ShareUsed, ProblemType.QueueFull, ProblemType.TooManyUploads, ProblemType.DrawingBusy,
            ProblemType.WebhookRefused, ProblemType.WebhooksFull, ProblemType.StorageFull,
        ])
        .WithOperation(static (operation, document) =>
        {
            operation.RequestBody = Uploads(operation, document);
            AddPicture(operation);
            AddAnswerHeaders(operation);
            AddLocation(operation);
            AddEnd(operation, document);
        });

    public static void DescribeFind(this RouteHandlerBuilder route) => route
        .WithName("FindDetection")
        .WithSummary("Read an answer again")
        .WithDescription("Returns the answer of an earlier request until it expires: 202 while it is in progress, the problem of an asynchronous request that failed. Threshold, max and labels filter the stored answer; model and iou choose which answer.")
        .Produces<DetectionBody>(StatusCodes.Status200OK, Json)
        .Produces<TicketBody>(StatusCodes.Status202Accepted, Json)
        .WithProblems([
            .. OpenApiParts.ClusterProblems, ProblemType.ResultNotFound, ProblemType.ModelNotFound, ProblemType.NotAPicture, ProblemType.TooLarge,
            ProblemType.UnsupportedPicture, ProblemType.Undecodable, ProblemType.InferenceFailed,
        ])
        .WithOperation(static (operation, _) =>
        {
            DescribeImageKey(operation);
            AddAnswerHeaders(operation);
            AddLocation(operation);
        });

    public static void DescribeFindPicture(this RouteHandlerBuilder route) => route
        .WithName("FindAnnotatedPicture")
        .WithSummary("Read an annotated picture again")
        .WithDescription("The picture of an earlier request with the boxes drawn into it, until it expires.")
        .Produces(StatusCodes.Status200OK, contentType: MediaTypeNames.Image.Jpeg)
        .WithProblems([
            .. OpenApiParts.ClusterProblems, ProblemType.ResultNotFound, ProblemType.ModelNotFound, ProblemType.Undecodable, ProblemType.ShareUsed,
            ProblemType.DrawingBusy, ProblemType.TooManyUploads,
        ])
        .WithOperation(static (operation, _) =>
        {
            DescribeImageKey(operation);
            AddPicture(operation);
            AddAnswerHeaders(operation);
        });

    public static void DescribeEvents(this RouteHandlerBuilder route) => route
        .WithName("WatchDetection")
        .WithSummary("Watch a request")
        .WithDescription("Server-sent events, named by the status: queued, running, and one of done, failed and expired at the end, with the answer or the problem.")
        .Produces<string>(StatusCodes.Status200OK, MediaTypeNames.Text.EventStream)
        .WithProblems([.. OpenApiParts.ClusterProblems, ProblemType.ResultNotFound, ProblemType.ModelNotFound])
        .WithOperation(static (operation, _) => DescribeImageKey(operation));

    private static OpenApiRequestBody Uploads(OpenApiOperation operation, OpenApiDocument document)
    {
        var form = OpenApiParts.Object((UploadReader.ImageField, OpenApiParts.Binary()), (UploadReader.UrlField, OpenApiParts.Text("http(s) URL of the picture, instead of it.")));
        AddParameters(form, operation);
        // JSON first: generators of clients take the first form that they can.
        var body = OpenApiParts.Body(
            (Json, PictureRequest(operation, document)),
            ("image/*", OpenApiParts.Binary()),
            (MediaTypeNames.Application.Octet, OpenApiParts.Binary()),
            (MediaTypeNames.Multipart.FormData, form));
        body.Description = "The picture in any of these forms. The parameters of the query may be fields of the form or of the JSON instead.";
        return body;
    }

    /// <summary>One class with a name of its own, and not one of two without: that is what generators make readable code of.</summary>
    private static OpenApiSchemaReference PictureRequest(OpenApiOperation operation, OpenApiDocument document)
    {
        const string Name = "PictureRequest";
        var url = OpenApiParts.Text("http(s) URL of the picture; the server fetches it. Private, loopback and link-local addresses are refused unless a setting opens them.");
        url.Format = "uri";
        var image = OpenApiParts.Text("The picture in base64; a data: URL is taken too.");
        image.Format = "byte";
        var request = OpenApiParts.Object((UploadReader.UrlField, url), (UploadReader.ImageField, image));
        request.Description = "A picture, in one of two ways, and parameters of the query that are sent here instead.";
        request.MinProperties = 1;
        AddParameters(request, operation);
        document.AddComponent(Name, request);
        return new OpenApiSchemaReference(Name, document);
    }

    /// <summary>The parameters of the query, which may stand beside the picture instead.</summary>
    private static void AddParameters(OpenApiSchema schema, OpenApiOperation operation)
    {
        foreach (var parameter in operation.Parameters ?? [])
        {
            schema.Properties![parameter.Name!] = parameter.Schema!;
        }
    }

    private static void AddPicture(OpenApiOperation operation)
    {
        var response = operation.Response(StatusCodes.Status200OK);
        response.Content ??= new Dictionary<string, OpenApiMediaType>();
        response.Content[MediaTypeNames.Image.Jpeg] = new OpenApiMediaType { Schema = OpenApiParts.Binary() };
    }

    private static void AddAnswerHeaders(OpenApiOperation operation)
    {
        var response = operation.Response(StatusCodes.Status200OK);
        response.Description = "The objects found.";
        response.AddHeader(AnswerHeaders.Cache, "Where the answer came from: the result cache (hit), a request of another caller in progress (joined), or this request (miss).",
            new OpenApiSchema { Type = JsonSchemaType.String, Enum = [JsonValue.Create("hit"), JsonValue.Create("joined"), JsonValue.Create("miss")] });
        response.AddHeader(AnswerHeaders.ServerTiming, "Durations of the stages, in milliseconds (W3C Server Timing).", OpenApiParts.Text());
    }

    private static void AddLocation(OpenApiOperation operation)
    {
        var response = operation.Response(StatusCodes.Status202Accepted);
        response.Description = "The request is in progress.";
        response.AddHeader("Location", "Where to ask for the answer, under the version of the model that the request was accepted for.", OpenApiParts.Text());
        response.AddHeader("Retry-After", "Seconds to wait before asking for the answer.", OpenApiParts.Seconds());
    }

    /// <summary>What a webhook gets, as a callback of the operation (OpenAPI's word for it).</summary>
    private static void AddEnd(OpenApiOperation operation, OpenApiDocument document)
    {
        static OpenApiParameter Header(string name, string description) => new()
        {
            Name = name,
            In = ParameterLocation.Header,
            Required = true,
            Description = description,
            Schema = OpenApiParts.Text(),
        };

        var told = new OpenApiOperation
        {
            Summary = "The request has ended",
            Description = "Sent at least once, always with the same id, until the receiver answers 2xx or the webhook is given up. 410, every other 4xx but 429, and a redirect end it.",
            Parameters =
            [
                Header("webhook-id", "Identifies the webhook; the same in every attempt."),
                Header("webhook-timestamp", "When this attempt was made, in seconds since 1970."),
                Header("webhook-signature", "`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`, with the server's secret."),
            ],
            RequestBody = OpenApiParts.Body(
                (Json, new OpenApiSchemaReference(nameof(DetectionBody), document)),
                (MediaTypeNames.Application.ProblemJson, new OpenApiSchemaReference(nameof(ProblemDetails), document))),
            Responses = new OpenApiResponses
            {
                ["2XX"] = new OpenApiResponse { Description = "The webhook was accepted." },
                ["4XX"] = new OpenApiResponse { Description = "The webhook was refused; after 429 it is sent again." },
            },
        };
        operation.Callbacks = new Dictionary<string, IOpenApiCallback>
        {
            ["end"] = new OpenApiCallback
            {
                PathItems = new Dictionary<RuntimeExpression, IOpenApiPathItem>
                {
                    [RuntimeExpression.Build("$request.query.webhook")] = new OpenApiPathItem
                    {
                        Operations = new Dictionary<HttpMethod, OpenApiOperation> { [HttpMethod.Post] = told },
                    },
                },
            },
        };
    }

    private static void DescribeImageKey(OpenApiOperation operation)
    {
        var parameter = (OpenApiParameter)operation.Parameters!.Single(static p => p.Name == "imageKey");
        parameter.Description = "Key of the picture, 64 lower-case hex digits: the SHA-256 of its bytes, unless the server gives each caller keys of its own.";
        parameter.Schema = new OpenApiSchema
        {
            Type = JsonSchemaType.String,
            Pattern = $"^[0-9a-f]{{{RequestKey.ImageKeyLength}}}$",
        };
    }
}
