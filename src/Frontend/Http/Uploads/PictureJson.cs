using System.Text.Json;
using Detection.Contracts.Answers;
using Detection.Frontend.Http.Problems;

namespace Detection.Frontend.Http.Uploads;

/// <summary>What stands in <c>{"url": …}</c> or <c>{"image": base64}</c>: one of both.</summary>
/// <param name="Url">The URL.</param>
/// <param name="Image">Where in the JSON the text of the picture stands, with its escapes.</param>
internal readonly record struct PictureJson(string? Url, Range? Image)
{
    /// <summary>Most bytes of a URL; longer ones are not fetched by anybody.</summary>
    private const int MaxUrlBytes = 8192;

    /// <exception cref="ProblemException">It is neither.</exception>
    public static PictureJson Read(ReadOnlySpan<byte> json)
    {
        string? url = null;
        Range? image = null;
        try
        {
            var reader = new Utf8JsonReader(json);
            Require(reader.Read() && reader.TokenType == JsonTokenType.StartObject);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isUrl = reader.ValueTextEquals(UploadReader.UrlField);
                var isImage = reader.ValueTextEquals(UploadReader.ImageField);
                reader.Read();
                if (isUrl)
                {
                    url = ReadUrl(ref reader);
                }
                else if (isImage)
                {
                    image = ReadImage(ref reader);
                }
                else
                {
                    reader.Skip();
                }
            }

            // To the end, so that a truncated body or one with something behind it is noticed.
            while (reader.Read())
            {
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second is how the reader says that a text is not Unicode: a lone surrogate, bytes that are not UTF-8.
            throw new ProblemException(ProblemType.InvalidRequest, "The body is not valid JSON.", e);
        }

        Require(url is null != image is null);
        return new PictureJson(url, image);
    }

    private static string? ReadUrl(ref Utf8JsonReader reader)
    {
        Require(reader.TokenType == JsonTokenType.String);
        return reader.ValueSpan.Length <= MaxUrlBytes
            ? reader.GetString()
            : throw new ProblemException(ProblemType.InvalidRequest, $"The '{UploadReader.UrlField}' has more than {MaxUrlBytes} bytes.");
    }

    /// <summary>The value without its quotes. Unescaping never makes it longer, so it can be done in place later.</summary>
    private static Range ReadImage(ref Utf8JsonReader reader)
    {
        Require(reader.TokenType == JsonTokenType.String);
        var start = (int)reader.TokenStartIndex + 1;
        return start..(start + reader.ValueSpan.Length);
    }

    private static void Require(bool condition)
    {
        if (!condition)
        {
            throw new ProblemException(
                ProblemType.InvalidRequest, $"The body must be a JSON object with either '{UploadReader.UrlField}' or '{UploadReader.ImageField}', a string.");
        }
    }
}
