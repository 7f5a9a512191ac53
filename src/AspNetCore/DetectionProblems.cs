using Detection.Client;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.AspNetCore;

/// <summary>Failures of the client as problem details (RFC 9457).</summary>
public static class DetectionProblems
{
    /// <summary>Extension member with the name of the failure, <c>not-a-picture</c> for example; the names are those of the HTTP API and do not change.</summary>
    public const string Code = "code";

    /// <summary>Extension member with the key of the picture, where it is known.</summary>
    public const string ImageKey = "imageKey";

    /// <summary>
    /// Answers what an endpoint lets through of <see cref="DetectionException"/> with a problem: 4xx for what is wrong with the request, 5xx for what
    /// is wrong with the cluster, with Retry-After where that is known. Needs <c>app.UseExceptionHandler()</c>.
    /// </summary>
    public static IServiceCollection AddDetectionProblems(this IServiceCollection services)
    {
        services.AddProblemDetails();
        services.AddExceptionHandler<DetectionExceptionHandler>();
        return services;
    }

    /// <summary>The problem of a failure, for an endpoint that answers it itself.</summary>
    public static ProblemDetails ToProblemDetails(this DetectionException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        var type = exception.Problem;
        var problem = new ProblemDetails { Status = type.Status, Title = type.Title, Detail = exception.Message };
        problem.Extensions[Code] = type.Name;
        if (exception.ImageKey is not null)
        {
            problem.Extensions[ImageKey] = exception.ImageKey;
        }

        return problem;
    }
}
