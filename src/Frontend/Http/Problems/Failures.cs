using System.Text.RegularExpressions;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Http.Problems;

/// <summary>Maps exceptions to problems.</summary>
internal static partial class Failures
{
    public static (ProblemType Type, string Detail, string? ImageKey) Of(Exception exception) => exception switch
    {
        DetectionException e => (e.Problem, e.Message, e.ImageKey),
        ProblemException e => (e.Type, e.Message, e.ImageKey),
        BadHttpRequestException e => (ProblemType.Of(e.StatusCode) ?? ProblemType.InvalidRequest, Reworded(e.Message), null),
        OutOfMemoryException => (ProblemType.Unavailable, "The process has no memory left for this request.", null),
        _ => (ProblemType.Internal, "The server failed unexpectedly. Search its log for the trace id.", null),
    };

    public static ProblemDetails Problem(Exception exception)
    {
        var (type, detail, imageKey) = Of(exception);
        var problem = new ProblemDetails { Type = type.Uri, Title = type.Title, Status = type.Status, Detail = CallerText.Show(detail, CallerText.MessageLength) };
        if (imageKey is not null)
        {
            problem.Extensions[ProblemWriter.ImageKey] = imageKey;
        }

        return problem;
    }

    /// <summary>When to retry, where the exception says so.</summary>
    public static TimeSpan? RetryAfter(Exception? exception) => exception switch
    {
        DetectionException e => e.RetryAfter,
        ProblemException e => e.RetryAfter,
        _ => null,
    };

    /// <summary>Replaces the framework's message about a parameter, which names the .NET type.</summary>
    private static string Reworded(string message) =>
        Unbound().Match(message) is { Success: true } match ? $"'{match.Groups[1].Value.ToLowerInvariant()}' cannot be '{CallerText.Show(match.Groups[2].Value)}'." : message;

    [GeneratedRegex("""^Failed to bind parameter "\S+ (\w+)" from "(.*)"\.$""", RegexOptions.Singleline)]
    private static partial Regex Unbound();
}
