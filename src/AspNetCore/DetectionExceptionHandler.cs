using System.Globalization;
using Detection.Client;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Detection.AspNetCore;

/// <summary>Answers a <see cref="DetectionException"/> with problem details. It leaves other exceptions to other handlers.</summary>
internal sealed class DetectionExceptionHandler(IProblemDetailsService problems) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not DetectionException failure)
        {
            return false;
        }

        var problem = failure.ToProblemDetails();
        httpContext.Response.StatusCode = problem.Status!.Value;
        if (failure.RetryAfter is { } wait)
        {
            httpContext.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        return await problems.TryWriteAsync(new ProblemDetailsContext { HttpContext = httpContext, ProblemDetails = problem, Exception = exception });
    }
}
