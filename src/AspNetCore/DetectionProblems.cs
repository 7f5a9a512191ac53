using Detection.Client;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.AspNetCore;

/// <summary>Failures of the client as problem details (RFC 9457).</summary>
public static class DetectionProblems
{
    /// <summary>Extension member with the name of the failure, such as <c>not-a-picture</c>. The HTTP API uses the same names. They do not change.</summary>
    public const string Code = "code";

    /// <summary>Extension member with the key of the picture, where it is known.</summary>
    public const string ImageKey = "imageKey";

    /// <summary>
    /// Answers each <see cref="DetectionException"/> that an endpoint does not catch with problem details: 4xx for a failure of the request, 5xx for a
    /// failure of the cluster, with Retry-After when it is known. Needs <c>app.UseExceptionHandler()</c>.
    /// </summary>
    public static IServiceCollection AddDetectionProblems(this IServiceCollection services)
    {
        services.AddProblemDetails();
        services.AddExceptionHandler<DetectionExceptionHandler>();
        return services;
    }

    /// <summary>The problem details of a failure, for an endpoint that catches the exception.</summary>
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
