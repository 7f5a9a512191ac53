using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Detection.Soak;

/// <summary>An answer without the values that may differ. Two answers to the same request are equal.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="MediaType">Media type of the body.</param>
/// <param name="Content">The body: JSON without times and names of the picture, or the hash of other bodies.</param>
internal sealed partial record Reading(int Status, string MediaType, string Content)
{
    // Properties with the picture's name, a time, or the source. All others must be equal.
    private static readonly HashSet<string> Passing = new(StringComparer.Ordinal)
    {
        "imageKey", "image_key", "timings", "source", "cached", "traceId", "instance", "location", "inferenceMs", "processMs", "duration", "index",
    };

    /// <summary>Whether the server was too busy, so that the request may be sent again.</summary>
    public bool IsRefusal => Status is 429 or 503;

    /// <summary>Reads an answer.</summary>
    public static async Task<Reading> OfAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        var bytes = await answer.Content.ReadAsByteArrayAsync(cancellation);
        var type = answer.Content.Headers.ContentType?.MediaType ?? "";
        return new Reading((int)answer.StatusCode, type, Normalize(type, bytes));
    }

    /// <summary>A body without the values that may differ.</summary>
    public static string Normalize(string mediaType, byte[] bytes) => mediaType switch
    {
        "application/json" or "application/problem+json" => ServedModels().Replace(Strip(JsonNode.Parse(bytes))?.ToJsonString() ?? "null", ""),
        "application/x-ndjson" => string.Join('\n', Encoding.UTF8.GetString(bytes)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => JsonNode.Parse(line)!)
            .OrderBy(static line => line["index"]?.GetValue<int>() ?? int.MaxValue)
            .Select(static line => Strip(line)!.ToJsonString())),
        _ when mediaType.StartsWith("text/", StringComparison.Ordinal) && bytes.Length < 500 => Encoding.UTF8.GetString(bytes),
        _ => $"{bytes.Length} bytes {Convert.ToHexStringLower(SHA256.HashData(bytes))}",
    };

    /// <summary>The same without a property of the top level, which may have several right values.</summary>
    public Reading Without(string property)
    {
        if (MediaType != "application/json")
        {
            return this;
        }

        var json = JsonNode.Parse(Content)!;
        json.AsObject().Remove(property);
        return this with { Content = json.ToJsonString() };
    }

    public override string ToString() => $"{Status} {MediaType} {(Content.Length > 600 ? Content[..600] + "…" : Content)}";

    /// <summary>The end of a message about an unknown model. Models come and go during the run.</summary>
    [GeneratedRegex(@"(?<=is served\.) Known are [^""]*")]
    private static partial Regex ServedModels();

    private static JsonNode? Strip(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                foreach (var name in map.Select(static pair => pair.Key).Where(Passing.Contains).ToList())
                {
                    map.Remove(name);
                }

                foreach (var (_, value) in map)
                {
                    Strip(value);
                }

                break;
            case JsonArray list:
                foreach (var value in list)
                {
                    Strip(value);
                }

                break;
        }

        return node;
    }
}
