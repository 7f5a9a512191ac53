using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Detection.Fuzz;

/// <summary>Rules that every answer must follow, whatever the request is.</summary>
internal static class AnswerRules
{
    // Statuses of the HTTP server, without a body, for requests that are not valid HTTP.
    private static readonly int[] OfTheServer = [400, 405, 408, 411, 413, 414, 417, 431, 505];

    /// <summary>The class of an answer, and its fault, if there is one.</summary>
    public static (string Class, string? Fault) Judge(FuzzRequest request, Answer answer)
    {
        if (answer.Status == 0 || !answer.IsWhole)
        {
            return request.MayBreakHttp && answer.Fault?.StartsWith("no answer", StringComparison.Ordinal) != true
                ? (request.Ending == Ending.Leaves ? "left without waiting" : "closed, was no HTTP", null)
                : ("none", answer.Fault);
        }

        var status = answer.Status.ToString(CultureInfo.InvariantCulture);
        if (answer.Status is >= 200 and < 300 or 304)
        {
            return (status, BodyFault(answer, request.Method == "HEAD"));
        }

        if (answer.Status == 500)
        {
            return (status, $"a defect of the server: {Beginning(answer.Body)}");
        }

        if (answer.Status is < 400 or >= 600)
        {
            return (status, $"neither an answer nor a problem: {Beginning(answer.Body)}");
        }

        if (request.MayBreakHttp && answer.Body.Length == 0 && OfTheServer.Contains(answer.Status))
        {
            return ($"{status} of the server, was no HTTP", null);
        }

        return ProblemFault(request, answer) is { } fault ? (status, fault) : ($"{status} {Type(request, answer)}", null);
    }

    private static string? BodyFault(Answer answer, bool isHead)
    {
        if (isHead || answer.Status is 204 or 206 or 304)
        {
            return null;
        }

        try
        {
            switch (answer.MediaType)
            {
                case "application/json":
                    JsonDocument.Parse(answer.Body).Dispose();
                    return null;
                case "application/x-ndjson":
                    return Encoding.UTF8.GetString(answer.Body).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(LineFault).FirstOrDefault(static fault => fault is not null);
                case "text/event-stream":
                    foreach (var line in Encoding.UTF8.GetString(answer.Body).Split('\n').Where(static line => line.StartsWith("data: ", StringComparison.Ordinal)))
                    {
                        JsonDocument.Parse(line[6..]).Dispose();
                    }

                    return null;
                case "image/jpeg":
                    return answer.Body is [0xFF, 0xD8, 0xFF, ..] ? null : "not a JPEG";
                default:
                    return null;
            }
        }
        catch (JsonException e)
        {
            return $"not the JSON it says it is ({e.Message}): {Beginning(answer.Body)}";
        }
    }

    private static string? LineFault(string line)
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.TryGetProperty("problem", out var problem) && problem.ValueKind == JsonValueKind.Object ? ProblemFault(problem, null)
            : json.RootElement.TryGetProperty("result", out var result) && result.ValueKind == JsonValueKind.Object ? null
            : $"a line with neither result nor problem: {line}";
    }

    /// <summary>A problem document, or a failure in the form of the protocol.</summary>
    private static string? ProblemFault(FuzzRequest request, Answer answer)
    {
        if (answer.Status is 429 or 503 && !answer.Headers.ContainsKey("retry-after"))
        {
            return $"{answer.Status} without Retry-After";
        }

        if (request.Method == "HEAD")
        {
            return null;
        }

        try
        {
            switch (answer.MediaType)
            {
                case "application/problem+json":
                    using (var json = JsonDocument.Parse(answer.Body))
                    {
                        return ProblemFault(json.RootElement, answer.Status);
                    }

                case "application/json" when StartsPath(request, "/v2"):
                    using (var json = JsonDocument.Parse(answer.Body))
                    {
                        return json.RootElement.GetProperty("error").GetString() is { Length: > 0 } ? null : "an empty error";
                    }

                case "application/json" when StartsPath(request, "/v1/vision"):
                    using (var json = JsonDocument.Parse(answer.Body))
                    {
                        return !json.RootElement.GetProperty("success").GetBoolean() && json.RootElement.GetProperty("error").GetString() is { Length: > 0 } && json.RootElement.GetProperty("code").GetInt32() == answer.Status
                            ? null
                            : $"not a failure of DeepStack: {Beginning(answer.Body)}";
                    }

                case "text/plain" when StartsPath(request, "/detect/imageDetect"):
                case "text/html" when StartsPath(request, "/detectImage") || StartsPath(request, "/detectOutWithCache"):
                    return answer.Body.Length > 0 ? null : "an empty failure";
                default:
                    return $"{answer.Status} that is no problem document ({answer.MediaType}): {Beginning(answer.Body)}";
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return $"{answer.Status} that is no problem document ({e.Message}): {Beginning(answer.Body)}";
        }
    }

    private static string? ProblemFault(JsonElement problem, int? status)
    {
        bool HasText(string name) => problem.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String && text.GetString() is { Length: > 0 };
        return !HasText("type") || !HasText("title") || !problem.TryGetProperty("status", out var own) || own.ValueKind != JsonValueKind.Number ? $"a problem without type, title or status: {problem}"
            : own.GetInt32() == 500 ? $"a defect of the server: {problem}"
            : status is not null && own.GetInt32() != status ? $"a problem of another status than the answer: {problem}"
            : null;
    }

    private static string Type(FuzzRequest request, Answer answer)
    {
        if (request.Method == "HEAD")
        {
            return "(HEAD)";
        }

        if (answer.MediaType != "application/problem+json")
        {
            return "in the form of its protocol";
        }

        using var json = JsonDocument.Parse(answer.Body);
        return json.RootElement.GetProperty("type").GetString()!.Replace("/problems/", "", StringComparison.Ordinal);
    }

    // The server compares paths without case, after percent-decoding and removing dot segments, and treats several slashes at the
    // start as one.
    private static bool StartsPath(FuzzRequest request, string path)
    {
        var asked = Uri.TryCreate("http://localhost/" + request.Path.TrimStart('/'), UriKind.Absolute, out var url) ? url.AbsolutePath : request.Path;
        return ("/" + Uri.UnescapeDataString(asked).TrimStart('/')).StartsWith(path, StringComparison.OrdinalIgnoreCase);
    }

    private static string Beginning(byte[] body) => Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 500)));
}
