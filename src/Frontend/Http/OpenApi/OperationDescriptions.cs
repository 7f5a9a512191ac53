using System.Text.Json.Nodes;
using Detection.Contracts.Requests;
using Detection.Frontend.Api.Batches;
using Detection.Frontend.Api.Detections;
using Detection.Frontend.Api.Models;
using Detection.Frontend.Api.Status;
using Detection.Frontend.Detections;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;
using Microsoft.OpenApi;

namespace Detection.Frontend.Http.OpenApi;

/// <summary>What the OpenAPI document says of each operation beyond what can be read from its code.</summary>
internal static class OperationDescriptions
{
    private const string Json = "application/json";
    private const string Jpeg = "image/jpeg";

    private static readonly ProblemType[] Cluster =
        [ProblemType.InvalidRequest, ProblemType.Unauthorized, ProblemType.RateLimited, ProblemType.Internal, ProblemType.Unavailable, ProblemType.DeadlineExceeded];

    public static void DescribeDetect(this RouteHandlerBuilder route) => route
        .WithName("Detect")
        .WithSummary("Find objects in a picture")
        .WithDescription("Takes a JPEG, PNG, WebP, GIF (first frame) or BMP, or the URL of one. Answers JSON, or with `Accept: image/jpeg` the picture with the boxes drawn into it.")
        .Produces<DetectionBody>(StatusCodes.Status200OK, Json)
        .Produces<TicketBody>(StatusCodes.Status202Accepted, Json)
        .WithProblems([
            .. Cluster, ProblemType.NotAPicture, ProblemType.UrlNotAllowed, ProblemType.ModelNotFound, ProblemType.UploadTimeout,
            ProblemType.TooLarge, ProblemType.UnsupportedMediaType, ProblemType.UnsupportedPicture, ProblemType.Undecodable,
            ProblemType.InferenceFailed, ProblemType.UrlNotReachable, ProblemType.ShareUsed, ProblemType.QueueFull, ProblemType.TooManyUploads, ProblemType.DrawingBusy,
            ProblemType.WebhookRefused, ProblemType.WebhooksFull, ProblemType.StorageFull,
        ])
        .AddOpenApiOperationTransformer(static (operation, context, _) =>
        {
            operation.RequestBody = Uploads(context.Document!);
            AddPicture(operation);
            AddAnswerHeaders(operation);
            AddLocation(operation);
            AddEnd(operation, context.Document!);
            return Task.CompletedTask;
        });

    public static void DescribeBatch(this RouteHandlerBuilder route) => route
        .WithName("DetectBatch")
        .WithSummary("Find objects in many pictures")
        .WithDescription("Takes the files of a form, or lines of JSON like the bodies for one picture. Answers a line of JSON for each, in the order in which they are done; a picture that fails has a problem in its line.")
        .Produces<BatchLine>(StatusCodes.Status200OK, "application/x-ndjson")
        .WithProblems(ProblemType.InvalidRequest, ProblemType.Unauthorized, ProblemType.RateLimited, ProblemType.UnsupportedMediaType, ProblemType.Internal)
        .AddOpenApiOperationTransformer(static (operation, _, _) =>
        {
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = true,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["multipart/form-data"] = new()
                    {
                        Schema = ObjectWith(UploadReader.ImageField, new OpenApiSchema { Type = JsonSchemaType.Array, Items = Binary() }),
                    },
                    ["application/x-ndjson"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String } },
                },
            };
            return Task.CompletedTask;
        });

    public static void DescribeEvents(this RouteHandlerBuilder route) => route
        .WithName("WatchDetection")
        .WithSummary("Follow a request")
        .WithDescription("Server-sent events, named by the status: queued, running, and one of done, failed and expired at the end, with the answer or the problem.")
        .Produces<string>(StatusCodes.Status200OK, "text/event-stream")
        .WithProblems([.. Cluster, ProblemType.ResultNotFound, ProblemType.ModelNotFound])
        .AddOpenApiOperationTransformer(static (operation, _, _) =>
        {
            DescribeImageKey(operation);
            return Task.CompletedTask;
        });

    public static void DescribeStatus(this RouteHandlerBuilder route) => route
        .WithName("ClusterStatus")
        .WithSummary("Look at the cluster")
        .WithDescription("The silos with their devices, the queues, what was done during the last five minutes, and the last failures. It is what the page /status shows.")
        .Produces<StatusBody>(StatusCodes.Status200OK, Json)
        .WithProblems(Cluster);

    public static void DescribeFind(this RouteHandlerBuilder route) => route
        .WithName("FindDetection")
        .WithSummary("Read an answer again")
        .WithDescription("Reads an earlier answer until it expires; 202 while its request is under way, and the problem of an asynchronous one that came to nothing. Threshold, max and labels apply to what was kept; model and iou choose which answer.")
        .Produces<DetectionBody>(StatusCodes.Status200OK, Json)
        .Produces<TicketBody>(StatusCodes.Status202Accepted, Json)
        .WithProblems([
            .. Cluster, ProblemType.ResultNotFound, ProblemType.ModelNotFound, ProblemType.NotAPicture, ProblemType.TooLarge,
            ProblemType.UnsupportedPicture, ProblemType.Undecodable, ProblemType.InferenceFailed,
        ])
        .AddOpenApiOperationTransformer(static (operation, _, _) =>
        {
            DescribeImageKey(operation);
            AddAnswerHeaders(operation);
            AddLocation(operation);
            return Task.CompletedTask;
        });

    public static void DescribeFindPicture(this RouteHandlerBuilder route) => route
        .WithName("FindAnnotatedPicture")
        .WithSummary("Read an annotated picture again")
        .WithDescription("The picture of an earlier request with the boxes drawn into it, until it expires.")
        .Produces(StatusCodes.Status200OK, contentType: Jpeg)
        .WithProblems([.. Cluster, ProblemType.ResultNotFound, ProblemType.ModelNotFound, ProblemType.Undecodable, ProblemType.ShareUsed, ProblemType.DrawingBusy, ProblemType.TooManyUploads])
        .AddOpenApiOperationTransformer(static (operation, _, _) =>
        {
            DescribeImageKey(operation);
            AddPicture(operation);
            AddAnswerHeaders(operation);
            return Task.CompletedTask;
        });

    public static void DescribeModels(this RouteHandlerBuilder route) => route
        .WithName("ListModels")
        .WithSummary("The models that are served now")
        .Produces<ModelsBody>(StatusCodes.Status200OK, Json)
        .WithProblems(ProblemType.Unauthorized, ProblemType.RateLimited, ProblemType.Internal, ProblemType.Unavailable);

    public static void DescribeModel(this RouteHandlerBuilder route) => route
        .WithName("FindModel")
        .WithSummary("One model")
        .Produces<ModelBody>(StatusCodes.Status200OK, Json)
        .WithProblems(ProblemType.Unauthorized, ProblemType.RateLimited, ProblemType.ModelNotFound, ProblemType.Internal, ProblemType.Unavailable)
        .AddOpenApiOperationTransformer(static (operation, _, _) =>
        {
            operation.Parameters!.Single(parameter => parameter.Name == "name").Description = "Its name, or name@version.";
            return Task.CompletedTask;
        });

    private static RouteHandlerBuilder WithProblems(this RouteHandlerBuilder route, params ProblemType[] types)
    {
        foreach (var status in types.Select(static type => type.Status).Distinct())
        {
            route.ProducesProblem(status);
        }

        return route.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            foreach (var group in types.GroupBy(static type => type.Status))
            {
                var response = (OpenApiResponse)operation.Responses![group.Key.ToString(System.Globalization.CultureInfo.InvariantCulture)];
                response.Description = string.Join("\n\n", group.Select(static type => $"`{type.Uri}`: {type.Description}"));
                if (group.Key is StatusCodes.Status503ServiceUnavailable or StatusCodes.Status429TooManyRequests)
                {
                    AddHeader(response, "Retry-After", "Seconds after which it is worth to come again.",
                        new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "1" });
                }
            }

            return Task.CompletedTask;
        });
    }

    private static OpenApiRequestBody Uploads(OpenApiDocument document) => new()
    {
        Required = true,
        Description = "The picture in any of these forms.",
        // JSON first: generators of clients take the first form that they can.
        Content = new Dictionary<string, OpenApiMediaType>
        {
            [Json] = new OpenApiMediaType { Schema = PictureRequest(document) },
            ["image/*"] = new OpenApiMediaType { Schema = Binary() },
            ["application/octet-stream"] = new OpenApiMediaType { Schema = Binary() },
            ["multipart/form-data"] = new OpenApiMediaType
            {
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Required = new HashSet<string> { UploadReader.ImageField },
                    Properties = new Dictionary<string, IOpenApiSchema> { [UploadReader.ImageField] = Binary() },
                },
            },
        },
    };

    /// <summary>One class with a name of its own, and not one of two without: that is what generators make readable code of.</summary>
    private static OpenApiSchemaReference PictureRequest(OpenApiDocument document)
    {
        const string Name = "PictureRequest";
        document.AddComponent(Name, new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "A picture, in one of two ways.",
            MinProperties = 1,
            MaxProperties = 1,
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                [UploadReader.UrlField] = new OpenApiSchema
                {
                    Type = JsonSchemaType.String,
                    Format = "uri",
                    Description = "http(s) URL of the picture; the server fetches it. Private, loopback and link-local addresses are refused unless a setting opens them.",
                },
                [UploadReader.ImageField] = new OpenApiSchema
                {
                    Type = JsonSchemaType.String,
                    Format = "byte",
                    Description = "The picture in base64; a data: URL is taken too.",
                },
            },
        });
        return new OpenApiSchemaReference(Name, document);
    }

    private static OpenApiSchema ObjectWith(string property, OpenApiSchema schema) => new()
    {
        Type = JsonSchemaType.Object,
        Required = new HashSet<string> { property },
        Properties = new Dictionary<string, IOpenApiSchema> { [property] = schema },
    };

    private static OpenApiSchema Binary() => new() { Type = JsonSchemaType.String, Format = "binary" };

    private static void AddPicture(OpenApiOperation operation)
    {
        var response = (OpenApiResponse)operation.Responses!["200"];
        response.Content ??= new Dictionary<string, OpenApiMediaType>();
        response.Content[Jpeg] = new OpenApiMediaType { Schema = Binary() };
    }

    private static void AddAnswerHeaders(OpenApiOperation operation)
    {
        var response = (OpenApiResponse)operation.Responses!["200"];
        response.Description = "What was found.";
        AddHeader(response, AnswerHeaders.Cache, "Where the answer came from: the result cache, work under way for somebody else, or this request.",
            new OpenApiSchema { Type = JsonSchemaType.String, Enum = [JsonValue.Create("hit"), JsonValue.Create("joined"), JsonValue.Create("miss")] });
        AddHeader(response, AnswerHeaders.ServerTiming, "Where the time went, in milliseconds (W3C Server Timing).",
            new OpenApiSchema { Type = JsonSchemaType.String });
    }

    private static void AddLocation(OpenApiOperation operation)
    {
        var response = (OpenApiResponse)operation.Responses!["202"];
        response.Description = "The request is under way.";
        AddHeader(response, "Location", "Where to ask for the answer, under the version of the model that the request was accepted for.", new OpenApiSchema { Type = JsonSchemaType.String });
        AddHeader(response, "Retry-After", "Seconds after which it is worth to ask.", new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "1" });
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
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        };

        OpenApiMediaType Body(string schema) => new() { Schema = new OpenApiSchemaReference(schema, document) };

        operation.Callbacks = new Dictionary<string, IOpenApiCallback>
        {
            ["end"] = new OpenApiCallback
            {
                PathItems = new Dictionary<RuntimeExpression, IOpenApiPathItem>
                {
                    [RuntimeExpression.Build("$request.query.webhook")] = new OpenApiPathItem
                    {
                        Operations = new Dictionary<HttpMethod, OpenApiOperation>
                        {
                            [HttpMethod.Post] = new()
                            {
                                Summary = "The request has ended",
                                Description = "Sent at least once, with the same id every time, until it is answered 2xx or given up. 410 and every other 4xx but 429 end it; a redirect does, too.",
                                Parameters =
                                [
                                    Header("webhook-id", "Identifies the webhook; the same in every attempt."),
                                    Header("webhook-timestamp", "When this attempt was made, in seconds since 1970."),
                                    Header("webhook-signature", "`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`, with the server's secret."),
                                ],
                                RequestBody = new OpenApiRequestBody
                                {
                                    Required = true,
                                    Content = new Dictionary<string, OpenApiMediaType>
                                    {
                                        [Json] = Body(nameof(DetectionBody)),
                                        ["application/problem+json"] = Body(nameof(Microsoft.AspNetCore.Mvc.ProblemDetails)),
                                    },
                                },
                                Responses = new OpenApiResponses { ["2XX"] = new OpenApiResponse { Description = "It was taken." } },
                            },
                        },
                    },
                },
            },
        };
    }

    private static void AddHeader(OpenApiResponse response, string name, string description, OpenApiSchema schema)
    {
        response.Headers ??= new Dictionary<string, IOpenApiHeader>();
        response.Headers[name] = new OpenApiHeader { Description = description, Schema = schema };
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
