using Microsoft.AspNetCore.Diagnostics;

namespace Detection.Frontend.Http.Problems;

/// <summary>Answers a request that failed with an exception with a problem document.</summary>
internal sealed class ProblemExceptionHandler(IProblemDetailsService problems) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (httpContext.RequestAborted.IsCancellationRequested || exception is UploadAbandonedException { IsReset: true })
        {
            // The client disconnected; this is not a failure of the server. The status is for metrics only. The connection is aborted,
            // because a caller that has closed only its half of the connection would still read the status, and because the server
            // would otherwise try to read the rest of a body whose last read failed, and log that with a stack trace.
            httpContext.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            httpContext.Abort();
            return true;
        }

        if (exception is UploadAbandonedException)
        {
            // Without a body, as the server answers requests that are not valid HTTP.
            httpContext.Response.StatusCode = StatusCodes.Status400BadRequest;
            httpContext.Response.Headers.Connection = "close";
            return true;
        }

        await problems.WriteAsync(httpContext, exception);
        return true;
    }
}
