using System.Net.Mime;
using System.Text.Json;
using System.Threading.Channels;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Contracts.Settings;
using Detection.Frontend.Api.Detections;
using Detection.Frontend.Http;
using Detection.Frontend.Http.Access;
using Detection.Frontend.Http.OpenApi;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace Detection.Frontend.Api.Batches;

/// <summary><c>POST /v1/detections/batch</c>: takes many pictures and answers one line of JSON for each, in the order in which they complete.</summary>
internal static partial class BatchEndpoints
{
    private const string Lines = "application/x-ndjson";

    private static readonly byte[] LineEnd = "\n"u8.ToArray();

    public static void AddBatches(this IServiceCollection services)
    {
        services.AddJson(BatchesJson.Default);
        services.AddValidatedOptions<BatchOptions>(BatchOptions.Section);
        services.AddSingleton<BatchReader>();
    }

    public static void MapBatches(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/v1/detections/batch", DetectAsync).WithQuery<BatchQuery>().WithTags("Detections")
            .WithName("DetectBatch")
            .WithSummary("Find objects in many pictures")
            .WithDescription("Takes the files of a form, or lines of JSON with the same properties as the body for one picture. Answers a line of JSON for each picture, in the order in which they complete. The line of a picture that fails has a problem.")
            .Produces<BatchLine>(StatusCodes.Status200OK, Lines)
            .WithProblems(ProblemType.InvalidRequest, ProblemType.Unauthorized, ProblemType.RateLimited, ProblemType.UnsupportedMediaType, ProblemType.Internal)
            .WithOperation(static (operation, _) => operation.RequestBody = OpenApiParts.Body(
                (MediaTypeNames.Multipart.FormData, OpenApiParts.ObjectWith(UploadReader.ImageField, new OpenApiSchema { Type = JsonSchemaType.Array, Items = OpenApiParts.Binary() })),
                (Lines, OpenApiParts.Text())));

    private static async Task DetectAsync(
        [AsParameters] BatchQuery query,
        HttpContext http,
        BatchReader reader,
        IDetectionClient client,
        LabelRules labels,
        IOptions<BatchOptions> options,
        IOptions<FrontendOptions> frontend,
        CallerLimits limits,
        TimeProvider time,
        ILogger<BatchReader> logger)
    {
        using var left = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        await labels.RequireKnownAsync(query.ToOptions(), left.Token);
        var work = new BatchWork(client, labels, query, http.Caller(), time, logger);
        LiftLimits(http);
        var pictures = reader.ReadAsync(http.Request, QueryFields.Names<BatchQuery>(), left.Token);
        http.Response.ContentType = Lines;
        http.Response.Headers.CacheControl = "no-store";

        // Unbounded, because results are small, and a caller may send all its pictures before it reads a line: a bounded channel would
        // stop the reading of such a request.
        var lines = Channel.CreateUnbounded<BatchLine>();
        var writing = WriteAsync(http.Response, lines.Reader, left);
        using var places = new SemaphoreSlim(options.Value.MaxConcurrent);
        var count = 0;
        try
        {
            await foreach (var picture in pictures)
            {
                if (count == options.Value.MaxPictures)
                {
                    picture.Upload?.Dispose();
                    throw new ProblemException(ProblemType.InvalidRequest, $"A batch has at most {options.Value.MaxPictures} pictures.");
                }

                await EnterAsync(places, picture, count == 0 ? null : limits, http, left.Token);
                _ = WorkAsync(work, count++, picture, lines.Writer, places, left.Token);
            }
        }
        catch (Exception e) when (e is ProblemException or BadHttpRequestException)
        {
            lines.Writer.TryWrite(new BatchLine(null, null, null, Failures.Problem(e)));
        }
        catch (Exception e) when (e is UploadAbandonedException or OperationCanceledException)
        {
            // The client disconnected; pictures in progress are cancelled.
            if (e is UploadAbandonedException { IsReset: true })
            {
                http.Abort();
            }

            await left.CancelAsync();
        }

        for (var place = 0; place < options.Value.MaxConcurrent; place++)
        {
            await places.WaitAsync(CancellationToken.None);
        }

        lines.Writer.Complete();
        await TakeAsync(writing, lines.Reader, http, frontend.Value.UploadTimeout, time);
    }

    /// <summary>Waits until the caller has read all lines. When it reads none within <paramref name="timeout"/>, the connection is closed.</summary>
    private static async Task TakeAsync(Task writing, ChannelReader<BatchLine> lines, HttpContext http, TimeSpan timeout, TimeProvider time)
    {
        while (!writing.IsCompleted)
        {
            var waiting = lines.Count;
            try
            {
                await writing.WaitAsync(timeout, time);
            }
            catch (TimeoutException) when (lines.Count < waiting)
            {
                // The caller is slow, but reads lines.
            }
            catch (TimeoutException)
            {
                http.Abort();
                await writing;
            }
        }
    }

    /// <summary>Waits for a place, and for the caller's rate limit. The first picture does not wait for the limit: the request was counted already.</summary>
    private static async Task EnterAsync(
        SemaphoreSlim places, BatchPicture picture, CallerLimits? limits, HttpContext http, CancellationToken cancellationToken)
    {
        try
        {
            if (limits is not null)
            {
                await limits.WaitForTurnAsync(http, cancellationToken);
            }

            await places.WaitAsync(cancellationToken);
        }
        catch
        {
            picture.Upload?.Dispose();
            throw;
        }
    }

    private static async Task WorkAsync(
        BatchWork work, int index, BatchPicture picture, ChannelWriter<BatchLine> lines, SemaphoreSlim places, CancellationToken cancellationToken)
    {
        var started = work.Time.GetTimestamp();
        try
        {
            var answer = await work.AnswerAsync(picture, cancellationToken);
            lines.TryWrite(new BatchLine(index, picture.Name, answer.ToBody(work.Time.GetElapsedTime(started).TotalMilliseconds), null));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The client disconnected.
        }
        catch (Exception e)
        {
            var (type, detail, imageKey) = Failures.Of(e);
            var shown = CallerText.Show(detail, CallerText.MessageLength);
            var duration = Math.Round(work.Time.GetElapsedTime(started).TotalMilliseconds, 1);
            Failed(
                work.Logger,
                type.Status == StatusCodes.Status500InternalServerError ? LogLevel.Error : LogLevel.Information,
                index,
                type.Status,
                type.Uri,
                duration,
                shown,
                imageKey ?? "unknown",
                e is DetectionException or ProblemException ? null : e);
            lines.TryWrite(new BatchLine(index, picture.Name, null, Failures.Problem(e)));
        }
        finally
        {
            places.Release();
        }
    }

    /// <summary>Writes the lines as they come. When the connection fails, the whole batch is cancelled.</summary>
    private static async Task WriteAsync(HttpResponse response, ChannelReader<BatchLine> lines, CancellationTokenSource left)
    {
        try
        {
            await response.StartAsync(left.Token);
            await foreach (var line in lines.ReadAllAsync(left.Token))
            {
                await JsonSerializer.SerializeAsync(response.Body, line, BatchesJson.Default.BatchLine, left.Token);
                await response.Body.WriteAsync(LineEnd, left.Token);
                await response.Body.FlushAsync(left.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            await left.CancelAsync();
        }
    }

    /// <summary>Removes the server's limits for the body: each picture has limits of size and time, and the batch has a limit of pictures.</summary>
    private static void LiftLimits(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        // A caller may send everything before it reads anything, and no bytes of the body are read while its pictures are processed.
        if (http.Features.Get<IHttpMinResponseDataRateFeature>() is { } responseRate)
        {
            responseRate.MinDataRate = null;
        }

        if (http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } requestRate)
        {
            requestRate.MinDataRate = null;
        }
    }

    [LoggerMessage(EventId = 1, Message = "Picture {Index} of a batch failed with {Status} {Type} after {Duration} ms: {Detail} (picture {ImageKey})")]
    private static partial void Failed(
        ILogger logger, LogLevel level, int index, int status, string type, double duration, string detail, string imageKey, Exception? exception);
}
