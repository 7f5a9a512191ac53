using Detection.Contracts.Answers;
using Detection.Frontend.Http.Problems;

namespace Detection.Frontend.Http.Uploads;

/// <summary>A URL that a caller sent.</summary>
internal static class UrlParameter
{
    /// <param name="name">Name of the parameter, for the problem.</param>
    /// <param name="text">The text.</param>
    /// <exception cref="ProblemException">The text is not an absolute URL.</exception>
    public static Uri Parse(string name, string text) => Uri.TryCreate(text, UriKind.Absolute, out var url)
        ? url
        : throw new ProblemException(ProblemType.InvalidRequest, $"The '{name}' is not an absolute URL.");
}
