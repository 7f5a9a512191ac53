using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Problems;

/// <summary>
/// Writes every problem of the front end, also those of the framework, and one log message for each. Unlike the framework's writer it
/// ignores the Accept header: a caller that accepts only JPEG gets the problem too.
/// </summary>
internal sealed partial class ProblemWriter(IOptions<FrontendOptions> options, IEnumerable<ProtocolFailures> protocols, ILogger<ProblemWriter> logger) : IProblemDetailsWriter
{
    /// <summary>Extension member with the key of the picture.</summary>
    public const string ImageKey = "imageKey";

    // People read problems in a terminal, so only the characters that JSON requires are escaped.
    private static readonly ProblemsJson Json =
        new(new JsonSerializerOptions(ProblemsJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public bool CanWrite(ProblemDetailsContext context) => true;

    public async ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var http = context.HttpContext;
        var problem = context.ProblemDetails;
        var status = problem.Status ??= http.Response.StatusCode;

        // The framework's types are links to RFC sections; replace them by the API's own.
        if (problem.Type?.StartsWith(ProblemType.BasePath, StringComparison.Ordinal) != true && ProblemType.Of(status) is { } type)
        {
            problem.Type = type.Uri;
            problem.Title = type.Title;
            problem.Detail ??= type.Description;
        }

        // These texts may contain anything that a caller sent.
        problem.Detail = CallerText.Show(problem.Detail, CallerText.MessageLength);
        problem.Instance = CallerText.Show(problem.Instance ?? http.Request.Path);
        var trace = Activity.Current?.Id ?? http.TraceIdentifier;
        problem.Extensions["traceId"] = trace;

        Log(http, problem, status, trace, context.Exception);
        if (http.Response.HasStarted)
        {
            return;
        }

        http.Response.Headers.CacheControl = "no-store";
        if (status is StatusCodes.Status503ServiceUnavailable or StatusCodes.Status429TooManyRequests)
        {
            http.Response.SetRetryAfter(Failures.RetryAfter(context.Exception) ?? options.Value.RetryAfter);
        }

        try
        {
            await WriteBodyAsync(http, problem);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client disconnected while the problem was written; this is not a failure of the server.
        }
    }

    private Task WriteBodyAsync(HttpContext http, ProblemDetails problem)
    {
        // The exception handler removes the endpoint from the request and keeps it in this feature.
        var endpoint = http.GetEndpoint() ?? http.Features.Get<IExceptionHandlerFeature>()?.Endpoint;
        var form = endpoint?.Metadata.GetMetadata<IFailureForm>()
            ?? protocols.FirstOrDefault(protocol => http.Request.Path.StartsWithSegments(protocol.Prefix))?.Form;
        if (form is not null)
        {
            return form.WriteAsync(http.Response, problem);
        }

        var typeInfo = Json.GetTypeInfo(problem.GetType()) ?? Json.ProblemDetails;
        return http.Response.WriteAsJsonAsync(problem, typeInfo, "application/problem+json", http.RequestAborted);
    }

    private void Log(HttpContext http, ProblemDetails problem, int status, string trace, Exception? exception)
    {
        var level = status switch
        {
            // Already logged: by the silo what is wrong with its model or device, by the client an unexpected error.
            500 when exception is DetectionException => LogLevel.Information,
            500 => LogLevel.Error,
            > 500 => LogLevel.Warning,
            _ => LogLevel.Information,
        };

        // Only a defect of the server needs a stack trace.
        var cause = exception is DetectionException or ProblemException or BadHttpRequestException
            ? null
            : exception;
        var imageKey = problem.Extensions.TryGetValue(ImageKey, out var key) ? CallerText.Show(key as string) : "unknown";
        var method = CallerText.Show(http.Request.Method);
        var path = CallerText.Show(http.Request.Path.Value);
        var duration = Duration(http);
        Failed(level, method, path, status, problem.Type, duration, problem.Detail, imageKey, trace, cause);
    }

    /// <summary>Milliseconds since the headers arrived. The activity's start is a time of the machine's clock, so this clock must be used.</summary>
    private static double Duration(HttpContext http) => http.Features.Get<IHttpActivityFeature>() is { Activity: { } activity }
        ? Math.Round((TimeProvider.System.GetUtcNow().UtcDateTime - activity.StartTimeUtc).TotalMilliseconds, 1)
        : double.NaN;

    [LoggerMessage(EventId = 1, Message = "{Method} {Path} failed with {Status} {Type} after {Duration} ms: {Detail} (picture {ImageKey}, trace {TraceId})")]
    private partial void Failed(
        LogLevel level, string method, string? path, int status, string? type, double duration, string? detail, object? imageKey, string traceId, Exception? exception);
}
