using System.Globalization;
using Detection.Contracts.Answers;

namespace Detection.Frontend.Http.Problems;

internal static class ProblemExtensions
{
    public static void AddProblems(this IServiceCollection services)
    {
        services.AddSingleton<IProblemDetailsWriter, ProblemWriter>();
        services.AddProblemDetails();
        services.AddJson(ProblemsJson.Default);
        services.AddExceptionHandler<ProblemExceptionHandler>();

        // With this option the exception handler writes the problem, which names the parameter that cannot be read.
        services.Configure<RouteHandlerOptions>(static options => options.ThrowOnBadRequest = true);
    }

    /// <summary>Every failure further down the pipeline becomes a problem document.</summary>
    public static void UseProblems(this IApplicationBuilder app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages();
    }

    public static ValueTask WriteAsync(this IProblemDetailsService problems, HttpContext http, Exception exception)
    {
        var problem = Failures.Problem(exception);
        http.Response.StatusCode = problem.Status!.Value;
        return problems.WriteAsync(new ProblemDetailsContext { HttpContext = http, ProblemDetails = problem, Exception = exception });
    }

    /// <summary>Sets Retry-After, in whole seconds, at least 1.</summary>
    public static void SetRetryAfter(this HttpResponse response, TimeSpan after) =>
        response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(after.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    /// <summary>Serves the description of each problem type at its URI.</summary>
    public static void MapProblems(this IEndpointRouteBuilder routes)
    {
        var byName = ProblemType.All.ToDictionary(type => type.Name);
        routes.MapGet(ProblemType.BasePath + "{name}", IResult (string name) =>
            byName.TryGetValue(name, out var type)
                ? TypedResults.Json(new ProblemDescription(type.Uri, type.Status, type.Title, type.Description), ProblemsJson.Default.ProblemDescription)
                : TypedResults.NotFound())
            .AllowAnonymous()
            .ExcludeFromDescription();
    }
}

/// <summary>The description of a problem type.</summary>
/// <param name="Type">The type URI.</param>
/// <param name="Status">HTTP status of such problems.</param>
/// <param name="Title">Title of such problems.</param>
/// <param name="Description">What the problem means and what the caller can do.</param>
internal sealed record ProblemDescription(string Type, int Status, string Title, string Description);
