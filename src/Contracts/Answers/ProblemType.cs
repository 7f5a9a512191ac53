using Detection.Objects;

namespace Detection.Contracts.Answers;

/// <summary>
/// A kind of failure, as RFC 9457 names it, in answers of the front end and in webhooks alike: the one table from <see cref="FailureReason"/> to
/// HTTP. The list is part of the API: names do not change.
/// </summary>
/// <param name="Name">Last part of the type URI.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Title">Short, the same for every occurrence.</param>
/// <param name="Description">What it means and what the caller can do.</param>
/// <param name="Reasons">The reasons that it stands for.</param>
public sealed record ProblemType(string Name, int Status, string Title, string Description, params IReadOnlyList<FailureReason> Reasons)
{
    /// <summary>Where the types are described.</summary>
    public const string BasePath = "/problems/";

    /// <summary><c>invalid-request</c>.</summary>
    public static readonly ProblemType InvalidRequest = new("invalid-request", 400, "The request is not valid",
        "A parameter is out of its range, or the body is not what its content type says. The detail, or the list of errors, says which.");

    /// <summary><c>not-a-picture</c>.</summary>
    public static readonly ProblemType NotAPicture = new("not-a-picture", 400, "Not a picture",
        "The bytes are empty or not a JPEG, PNG, WebP, GIF or BMP.", FailureReason.NotAPicture);

    /// <summary><c>url-not-allowed</c>.</summary>
    public static readonly ProblemType UrlNotAllowed = new("url-not-allowed", 400, "The URL may not be fetched",
        "The URL is not http(s), or leads to a private, loopback, link-local or otherwise closed network.", FailureReason.UrlNotAllowed);

    /// <summary><c>webhook-refused</c>.</summary>
    public static readonly ProblemType WebhookRefused = new("webhook-refused", 400, "The webhook is not accepted",
        "The webhook's URL is not http(s), or leads to a private, loopback, link-local or otherwise closed network, or the server has no secret to sign with. The detail says which.", FailureReason.WebhookRefused);

    /// <summary><c>unauthorized</c>.</summary>
    public static readonly ProblemType Unauthorized = new("unauthorized", 401, "An API key is needed",
        "No API key was sent, or none that is known. Send it as X-API-Key or as Authorization: Bearer.");

    /// <summary><c>forbidden</c>.</summary>
    public static readonly ProblemType Forbidden = new("forbidden", 403, "The API key may not do this",
        "Only keys with Administrator: true in Detection:Access:Keys may administer the cluster.");

    /// <summary><c>origin-not-allowed</c>.</summary>
    public static readonly ProblemType OriginNotAllowed = new("origin-not-allowed", 403, "The origin is not allowed",
        "A page of another site made a browser send the request. The setting Detection:Browsers:AllowedOrigins names the origins whose pages may.");

    /// <summary><c>not-found</c>.</summary>
    public static readonly ProblemType NotFound = new("not-found", 404, "Not found",
        "Nothing is served at this address.");

    /// <summary><c>result-not-found</c>.</summary>
    public static readonly ProblemType ResultNotFound = new("result-not-found", 404, "No such result",
        "There is no result, or no picture, under this image key, or it has expired. Post the picture again.");

    /// <summary><c>model-not-found</c>.</summary>
    public static readonly ProblemType ModelNotFound = new("model-not-found", 404, "No such model",
        "No silo serves this model, or its version was removed or replaced before the picture's turn came. The detail says which. GET /v1/models lists those that are served.", FailureReason.ModelNotFound, FailureReason.ModelGone);

    /// <summary><c>method-not-allowed</c>.</summary>
    public static readonly ProblemType MethodNotAllowed = new("method-not-allowed", 405, "Method not allowed",
        "The address exists, but not for this method. The Allow header lists the methods.");

    /// <summary><c>upload-timeout</c>.</summary>
    public static readonly ProblemType UploadTimeout = new("upload-timeout", 408, "The upload took too long",
        "The body did not arrive in time.");

    /// <summary><c>picture-too-large</c>.</summary>
    public static readonly ProblemType TooLarge = new("picture-too-large", 413, "The picture is too large",
        "The picture has more bytes or more pixels than allowed.", FailureReason.TooLarge);

    /// <summary><c>unsupported-media-type</c>.</summary>
    public static readonly ProblemType UnsupportedMediaType = new("unsupported-media-type", 415, "Content type not supported",
        "Send image/* or application/octet-stream, multipart/form-data with a file named image, or application/json.");

    /// <summary><c>unsupported-picture</c>.</summary>
    public static readonly ProblemType UnsupportedPicture = new("unsupported-picture", 415, "This kind of picture is not supported",
        "It is a picture, but of a kind that is not supported.", FailureReason.Unsupported);

    /// <summary><c>host-not-allowed</c>.</summary>
    public static readonly ProblemType HostNotAllowed = new("host-not-allowed", 421, "The Host header is not accepted",
        "The Host header names another host. The setting Detection:Browsers:AllowedHosts names the hosts for which the server answers.");

    /// <summary><c>undecodable</c>.</summary>
    public static readonly ProblemType Undecodable = new("undecodable", 422, "The picture cannot be decoded",
        "The picture is truncated or damaged.", FailureReason.Undecodable);

    /// <summary><c>rate-limited</c>.</summary>
    public static readonly ProblemType RateLimited = new("rate-limited", 429, "Too many requests",
        "Your key exceeded its limit of requests per second or of concurrent requests, or your uploads use your share of the upload memory. Retry after the time in Retry-After.");

    /// <summary><c>share-used</c>.</summary>
    public static readonly ProblemType ShareUsed = new("share-used", 429, "Caller limit reached",
        "Your pending pictures, URLs, webhooks or annotated pictures use your share of their places or of the picture memory, or your next picture would miss its deadline; other callers are still served. The request was not accepted. Retry after the time in Retry-After. The detail says which it is.", FailureReason.ShareUsed);

    /// <summary><c>inference-failed</c>.</summary>
    public static readonly ProblemType InferenceFailed = new("inference-failed", 500, "The model failed",
        "The model or its device failed on this picture. Retry once; if the detail names an error of the model, correct the model. GET /v1/models says which model that is.", FailureReason.Inference, FailureReason.Poison, FailureReason.PictureLost);

    /// <summary><c>internal</c>.</summary>
    public static readonly ProblemType Internal = new("internal", 500, "Internal error",
        "A defect of the server. Its log has the trace id.", FailureReason.Internal);

    /// <summary><c>url-not-reachable</c>.</summary>
    public static readonly ProblemType UrlNotReachable = new("url-not-reachable", 502, "The URL could not be fetched",
        "The other side could not be reached, answered an error, redirected too often, or took too long.", FailureReason.UrlNotReachable);

    /// <summary><c>queue-full</c>.</summary>
    public static readonly ProblemType QueueFull = new("queue-full", 503, "Too busy",
        "The queue is full, the deadline cannot be met, or too many URLs are being fetched. The request was not accepted. Retry after the time in Retry-After.", FailureReason.Busy);

    /// <summary><c>too-many-uploads</c>.</summary>
    public static readonly ProblemType TooManyUploads = new("too-many-uploads", 503, "Too many uploads",
        "The server reached its limit of concurrent uploads, or the uploads in progress use all of the upload memory. Retry after the time in Retry-After.");

    /// <summary><c>too-many-requests</c>.</summary>
    public static readonly ProblemType TooManyReads = new("too-many-requests", 503, "Too many requests",
        "The server reached its limit of concurrent requests that are no uploads. Retry after the time in Retry-After.");

    /// <summary><c>drawing-busy</c>.</summary>
    public static readonly ProblemType DrawingBusy = new("drawing-busy", 503, "Too many pictures are drawn",
        "The server draws its maximum of annotated pictures, or its maximum wait to be drawn. The result is stored and can be requested as JSON. Retry after the time in Retry-After.");

    /// <summary><c>webhooks-full</c>.</summary>
    public static readonly ProblemType WebhooksFull = new("webhooks-full", 503, "Too many pending webhooks",
        "The server reached its limit of webhooks that wait for delivery. The request was not accepted. Retry after the time in Retry-After, or without a webhook.", FailureReason.WebhooksFull);

    /// <summary><c>storage-full</c>.</summary>
    public static readonly ProblemType StorageFull = new("storage-full", 503, "The storage is full",
        "The cluster's Redis, or the one process that is the whole cluster, is full, so the picture cannot be stored. The request was not accepted. Retry after the time in Retry-After. The detail says which memory it is.", FailureReason.StorageFull);

    /// <summary><c>unavailable</c>.</summary>
    public static readonly ProblemType Unavailable = new("unavailable", 503, "The cluster is not available",
        "The cluster or its Redis does not respond, every device that serves the model is broken, or this front end has another secret of image keys than the silos. The detail says which. Retry after the time in Retry-After.", FailureReason.Unavailable);

    /// <summary><c>deadline-exceeded</c>.</summary>
    public static readonly ProblemType DeadlineExceeded = new("deadline-exceeded", 504, "The deadline passed",
        "There was no result before the deadline. Send the request again, or allow more time.", FailureReason.DeadlineExceeded);

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<ProblemType> All =
    [
        InvalidRequest, NotAPicture, UrlNotAllowed, WebhookRefused, Unauthorized, Forbidden, OriginNotAllowed, NotFound, ResultNotFound, ModelNotFound, MethodNotAllowed, UploadTimeout, TooLarge,
        UnsupportedMediaType, UnsupportedPicture, HostNotAllowed, Undecodable, RateLimited, ShareUsed, InferenceFailed, Internal, UrlNotReachable, QueueFull, TooManyUploads, TooManyReads, DrawingBusy,
        WebhooksFull, StorageFull, Unavailable, DeadlineExceeded,
    ];

    /// <summary>The type URI, relative to the server.</summary>
    public string Uri => BasePath + Name;

    /// <summary>The type of a failure. An unknown reason is from a newer silo.</summary>
    public static ProblemType Of(FailureReason reason) => All.FirstOrDefault(type => type.Reasons.Contains(reason)) ?? InferenceFailed;

    /// <summary>The type of a failure of which only the status is known; <see langword="null"/> when there is none.</summary>
    public static ProblemType? Of(int status) => status switch
    {
        400 => InvalidRequest,
        401 => Unauthorized,
        403 => OriginNotAllowed,
        404 => NotFound,
        405 => MethodNotAllowed,
        408 => UploadTimeout,
        413 => TooLarge,
        415 => UnsupportedMediaType,
        429 => RateLimited,
        500 => Internal,
        503 => Unavailable,
        504 => DeadlineExceeded,
        _ => null,
    };
}
