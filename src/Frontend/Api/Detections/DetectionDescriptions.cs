using System.Net.Mime;
using System.Text.Json.Nodes;
using Detection.Contracts.Answers;
using Detection.Contracts.Requests;
using Detection.Frontend.Http.OpenApi;
using Detection.Frontend.Http.Uploads;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;

namespace Detection.Frontend.Api.Detections;

/// <summary>Describes <c>/v1/detections</c> in the OpenAPI document.</summary>
internal static class DetectionDescriptions
{
    private const string Json = MediaTypeNames.Application.Json;

    /// <summary>A grey PNG of 16 by 16 pixels in base64: a request that works as it is.</summary>
    private const string ExamplePicture = "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAAAAAA6mKC9AAAAD0lEQVR42mNoQAMMI1sAAAUMgAHjM1mKAAAAAElFTkSuQmCC";

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
            AddWebhook(operation, document);
        });

    public static void DescribeFind(this RouteHandlerBuilder route) => route
        .WithName("FindDetection")
        .WithSummary("Read an answer again")
        .WithDescription("Returns the answer of an earlier request until it expires. Answers 202 while the request is in progress, and the problem of an asynchronous request that failed. The parameters model and iou select the stored answer; threshold, max and labels filter it.")
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
        .WithDescription("Returns the picture of an earlier request with the boxes drawn into it, until the picture expires.")
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
        .WithDescription("Answers with server-sent events. The name of an event is the status: queued, running, and at the end done, failed or expired. The last event has the answer or the problem.")
        .Produces<string>(StatusCodes.Status200OK, MediaTypeNames.Text.EventStream)
        .WithProblems([.. OpenApiParts.ClusterProblems, ProblemType.ResultNotFound, ProblemType.ModelNotFound])
        .WithOperation(static (operation, _) => DescribeImageKey(operation));

    private static OpenApiRequestBody Uploads(OpenApiOperation operation, OpenApiDocument document)
    {
        var form = OpenApiParts.Object((UploadReader.ImageField, OpenApiParts.Binary()), (UploadReader.UrlField, OpenApiParts.Text("http(s) URL of the picture, instead of the file.")));
        AddParameters(form, operation);
        // JSON first: client generators take the first form that they support.
        var body = OpenApiParts.Body(
            (Json, PictureRequest(operation, document)),
            ("image/*", OpenApiParts.Binary()),
            (MediaTypeNames.Application.Octet, OpenApiParts.Binary()),
            (MediaTypeNames.Multipart.FormData, form));
        body.Content![Json].Example = new JsonObject { [UploadReader.ImageField] = ExamplePicture };
        body.Description = "The picture in one of these forms. A form and a JSON object may also have the parameters of the query as fields.";
        return body;
    }

    /// <summary>One named schema instead of a choice of two unnamed ones: client generators make readable code of it.</summary>
    private static OpenApiSchemaReference PictureRequest(OpenApiOperation operation, OpenApiDocument document)
    {
        const string Name = "PictureRequest";
        var url = OpenApiParts.Text("http(s) URL of the picture; the server fetches it. Private, loopback and link-local addresses are refused unless a setting opens them.");
        url.Format = "uri";
        var image = OpenApiParts.Text("The picture in base64, or as a data: URL.");
        image.Format = "byte";
        var request = OpenApiParts.Object((UploadReader.UrlField, url), (UploadReader.ImageField, image));
        request.Description = "A picture, as 'url' or as 'image', and parameters that are not in the query.";
        request.MinProperties = 1;
        AddParameters(request, operation);
        document.AddComponent(Name, request);
        return new OpenApiSchemaReference(Name, document);
    }

    /// <summary>Adds the parameters of the query, which may be fields of the body instead.</summary>
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
        response.AddHeader(AnswerHeaders.Cache, "Where the answer came from: the result cache (hit), a request that was in progress for the same picture (joined), or this request (miss).",
            new OpenApiSchema { Type = JsonSchemaType.String, Enum = [JsonValue.Create("hit"), JsonValue.Create("joined"), JsonValue.Create("miss")] });
        response.AddHeader(AnswerHeaders.ServerTiming, "Durations of the stages, in milliseconds (W3C Server Timing).", OpenApiParts.Text());
    }

    private static void AddLocation(OpenApiOperation operation)
    {
        var response = operation.Response(StatusCodes.Status202Accepted);
        response.Description = "The request is in progress.";
        response.AddHeader("Location", "Address of the answer. It names the version of the model that the request was accepted for.", OpenApiParts.Text());
        response.AddHeader("Retry-After", "Seconds to wait before asking for the answer.", OpenApiParts.Seconds());
    }

    /// <summary>Describes the webhook's request as a callback of the operation.</summary>
    private static void AddWebhook(OpenApiOperation operation, OpenApiDocument document)
    {
        static OpenApiParameter Header(string name, string description) => new()
        {
            Name = name,
            In = ParameterLocation.Header,
            Required = true,
            Description = description,
            Schema = OpenApiParts.Text(),
        };

        var webhook = new OpenApiOperation
        {
            Summary = "The request has ended",
            Description = "Sent until the receiver answers 2xx, or until the server stops retrying; every attempt has the same id. A redirect and every 4xx except 429 stop the retries.",
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
                ["4XX"] = new OpenApiResponse { Description = "The webhook was refused. It is sent again only after 429." },
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
                        Operations = new Dictionary<HttpMethod, OpenApiOperation> { [HttpMethod.Post] = webhook },
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
