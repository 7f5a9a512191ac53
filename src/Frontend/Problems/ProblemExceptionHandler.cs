using System.Globalization;
using Detection.Client;
using Detection.Frontend.Uploads;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Problems;

/// <summary>Turns what a request threw into a problem document.</summary>
internal sealed class ProblemExceptionHandler(IProblemDetailsService problems, IOptions<FrontendOptions> options) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (httpContext.RequestAborted.IsCancellationRequested || exception is UploadAbandonedException)
        {
            // Nobody is there to read an answer, and a caller that leaves is no failure of ours.
            httpContext.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }

        var (type, detail, imageKey) = exception switch
        {
            DetectionException e => (ProblemType.Of(e.Error), e.Message, e.ImageKey),
            ProblemException e => (e.Type, e.Message, e.ImageKey),
            BadHttpRequestException e => (ProblemType.Of(e.StatusCode) ?? ProblemType.InvalidRequest, e.Message, null),
            _ => (ProblemType.Internal, "Something went wrong on the server.", (string?)null),
        };

        var response = httpContext.Response;
        response.StatusCode = type.Status;
        if (type.Status == StatusCodes.Status503ServiceUnavailable)
        {
            var retryAfter = (exception as DetectionException)?.RetryAfter ?? options.Value.RetryAfter;
            var seconds = Math.Max(1, (long)Math.Ceiling(retryAfter.TotalSeconds));
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        var problem = new ProblemDetails { Type = type.Uri, Title = type.Title, Status = type.Status, Detail = detail };
        if (imageKey is not null)
        {
            problem.Extensions[ProblemWriter.ImageKey] = imageKey;
        }

        await problems.WriteAsync(new ProblemDetailsContext { HttpContext = httpContext, ProblemDetails = problem, Exception = exception });
        return true;
    }
}
