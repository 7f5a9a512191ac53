using Microsoft.AspNetCore.Diagnostics;

namespace Detection.Frontend.Http.Problems;

/// <summary>Turns what a request threw into a problem document.</summary>
internal sealed class ProblemExceptionHandler(IProblemDetailsService problems) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (httpContext.RequestAborted.IsCancellationRequested)
        {
            // The client has left, which is no failure of the server. The status is for metrics alone: a
            // caller that has closed its half of the connection would still read it.
            httpContext.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            httpContext.Abort();
            return true;
        }

        if (exception is UploadAbandonedException)
        {
            // Without a body, like all that is no HTTP.
            httpContext.Response.StatusCode = StatusCodes.Status400BadRequest;
            httpContext.Response.Headers.Connection = "close";
            return true;
        }

        await problems.WriteAsync(httpContext, exception);
        return true;
    }
}
