using Detection.Client;
using Detection.Frontend.Uploads;
using Microsoft.AspNetCore.Diagnostics;
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

        var problem = Failures.Problem(exception);
        var response = httpContext.Response;
        response.StatusCode = problem.Status!.Value;
        if (problem.Status is StatusCodes.Status503ServiceUnavailable or StatusCodes.Status429TooManyRequests)
        {
            response.SetRetryAfter((exception as DetectionException)?.RetryAfter ?? options.Value.RetryAfter);
        }

        await problems.WriteAsync(new ProblemDetailsContext { HttpContext = httpContext, ProblemDetails = problem, Exception = exception });
        return true;
    }
}
