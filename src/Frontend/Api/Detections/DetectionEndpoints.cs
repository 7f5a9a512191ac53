using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Requests;
using Detection.Frontend.Http;
using Detection.Frontend.Http.Access;
using Detection.Frontend.Http.Browsers;
using Detection.Frontend.Http.Drawing;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Detection.Frontend.Api.Detections;

/// <summary><c>/v1/detections</c>: finds objects in one picture.</summary>
internal static class DetectionEndpoints
{
    public static void AddDetections(this IServiceCollection services)
    {
        services.AddJson(DetectionsJson.Default);
        services.AddSingleton<LabelRules>();
        services.ExposeHeaders(AnswerHeaders.Cache, AnswerHeaders.ServerTiming);
    }

    public static void MapDetections(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/detections").WithTags("Detections");
        group.MapPost("", DetectAsync).WithQuery<DetectionQuery>().DescribeDetect();
        group.MapGet("{imageKey}", FindAsync).WithQuery<FindQuery>().DescribeFind();
        group.MapGet("{imageKey}/image", FindPictureAsync).WithQuery<AnswerQuery>().DescribeFindPicture();
    }

    private static async Task<IResult> DetectAsync(
        [AsParameters] DetectionQuery query,
        HttpContext http,
        IDetectionClient client,
        UploadReader uploads,
        LabelRules labels,
        AnnotatedPictures pictures,
        UploadMemory memory,
        TimeProvider time)
    {
        var started = time.GetTimestamp();
        var cancelled = http.RequestAborted;

        // Refuse a wrong query before the picture is read.
        await labels.RequireKnownAsync(query.ToOptions(), cancelled);
        using var upload = await uploads.ReadAsync(http.Request, QueryFields.Names<DetectionQuery>(), cancelled);
        var chosen = query.With(upload.Fields);
        var options = chosen.ToOptions() with { Caller = http.Caller() };
        await labels.RequireKnownAsync(options, cancelled);
        var isAsync = chosen.Async == true || Tickets.IsAsyncPreferred(http.Request);
        var webhook = chosen.ToWebhook(isAsync);
        if (isAsync)
        {
            var ticket = await client.SubmitAsync(upload, options, webhook, cancelled);
            return Result(http, ticket, chosen, time.GetElapsedTime(started).TotalMilliseconds);
        }

        var answer = await client.DetectAsync(upload, options, cancelled);
        var total = time.GetElapsedTime(started).TotalMilliseconds;
        AnswerHeaders.Write(http.Response, answer, total);
        http.Response.Headers.Vary = "Accept";
        if (!PreferredAnswer.IsPicture(http.Request.GetTypedHeaders()))
        {
            return Json(answer, total);
        }

        using var jpeg = await pictures.DrawAsync(upload, answer, options, memory.ShareOf(http), cancelled);
        await AnnotatedPictures.WriteAsync(http.Response, jpeg);
        return TypedResults.Empty;
    }

    private static async Task<IResult> FindAsync(
        string imageKey, [AsParameters] FindQuery query, HttpContext http, IDetectionClient client, LabelRules labels, IHostApplicationLifetime lifetime, TimeProvider time)
    {
        var started = time.GetTimestamp();
        var options = query.ToOptions() with { Caller = http.Caller() };
        RequireImageKey(imageKey);
        await labels.RequireKnownAsync(options, http.RequestAborted);

        // Waiting callers must not delay the stop of the server.
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            var ticket = await client.GetStatusAsync(imageKey, TimeSpan.FromSeconds(query.Wait ?? 0), null, options, ends.Token);
            return Result(http, ticket, query, time.GetElapsedTime(started).TotalMilliseconds);
        }
        catch (OperationCanceledException e) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            throw ProblemException.Stopping(imageKey, e);
        }
    }

    /// <summary>The response for the current state of a request.</summary>
    private static IResult Result(HttpContext http, DetectionTicket ticket, AnswerQuery chosen, double total)
    {
        switch (ticket)
        {
            case { Answer: { } answer }:
                AnswerHeaders.Write(http.Response, answer, total);
                return Json(answer, total);
            case { Failure: { } failure }:
                throw failure;
            case { Status: DetectionStatus.Unknown }:
                throw NoResult(ticket.ImageKey);
            default:
                return Tickets.Answer(http, ticket, chosen);
        }
    }

    private static async Task<IResult> FindPictureAsync(
        string imageKey, [AsParameters] AnswerQuery query, HttpContext http, IDetectionClient client, LabelRules labels, AnnotatedPictures pictures, UploadMemory memory, TimeProvider time)
    {
        var started = time.GetTimestamp();
        var options = query.ToOptions() with { Caller = http.Caller() };
        RequireImageKey(imageKey);
        await labels.RequireKnownAsync(options, http.RequestAborted);
        var answer = await client.FindAsync(imageKey, options, http.RequestAborted) ?? throw NoResult(imageKey);
        using var jpeg = await pictures.FetchAndDrawAsync(answer, options, memory.ShareOf(http), http.RequestAborted);
        AnswerHeaders.Write(http.Response, answer, time.GetElapsedTime(started).TotalMilliseconds);
        await AnnotatedPictures.WriteAsync(http.Response, jpeg);
        return TypedResults.Empty;
    }

    private static void RequireImageKey(string imageKey)
    {
        if (!RequestKey.IsImageKey(imageKey))
        {
            throw new ProblemException(ProblemType.ResultNotFound, "The image key is not valid. An image key is 64 lower-case hex digits.");
        }
    }

    private static JsonHttpResult<DetectionBody> Json(DetectionAnswer answer, double total) =>
        TypedResults.Json(answer.ToBody(total), DetectionsJson.Default.DetectionBody);

    private static ProblemException NoResult(string imageKey) =>
        new(ProblemType.ResultNotFound, "There is no result for this picture, or it has expired.") { ImageKey = imageKey };
}
