using System.Text;
using System.Text.Json;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;

namespace Detection.Frontend.Http.Uploads;

/// <summary>What stands in <c>{"url": …}</c> or <c>{"image": base64}</c>, one of both, and the parameters beside it.</summary>
/// <param name="Url">The URL.</param>
/// <param name="Image">Where in the JSON the text of the picture stands, with its escapes.</param>
internal readonly record struct PictureJson(string? Url, Range? Image)
{
    /// <param name="json">The JSON.</param>
    /// <param name="fields">Takes the parameters.</param>
    /// <exception cref="ProblemException">It is neither, or has something else beside it.</exception>
    public static PictureJson Read(ReadOnlySpan<byte> json, BodyFields fields)
    {
        string? url = null;
        Range? image = null;
        try
        {
            var reader = new Utf8JsonReader(json);
            Require(reader.Read() && reader.TokenType == JsonTokenType.StartObject);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals(UploadReader.UrlField))
                {
                    RequireOnce(url is null, UploadReader.UrlField);
                    url = ReadText(ref reader, UploadReader.UrlField);
                }
                else if (reader.ValueTextEquals(UploadReader.ImageField))
                {
                    RequireOnce(image is null, UploadReader.ImageField);
                    image = ReadImage(ref reader);
                }
                else
                {
                    ReadField(ref reader, fields);
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

    private static void ReadField(ref Utf8JsonReader reader, BodyFields fields)
    {
        // A longer name is not known, whatever follows.
        var name = reader.ValueSpan.Length <= CallerText.NameLength ? reader.GetString()! : Encoding.UTF8.GetString(reader.ValueSpan[..CallerText.NameLength]);
        fields.RequireKnown(name);
        reader.Read();
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            var parts = new List<string>();
            var length = 0;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                parts.Add(ReadScalar(ref reader, name) ?? "");
                length += parts[^1].Length + 1;
                RequireShort(length, name);
            }

            fields.Add(name, string.Join(',', parts));
        }
        else if (ReadScalar(ref reader, name) is { } text)
        {
            fields.Add(name, text);
        }
    }

    private static string? ReadScalar(ref Utf8JsonReader reader, string name)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return null;
            case JsonTokenType.String:
                return ReadText(ref reader, name, isRead: true);
            case JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False:
                RequireShort(reader.ValueSpan.Length, name);
                return Encoding.UTF8.GetString(reader.ValueSpan);
            default:
                throw new ProblemException(ProblemType.InvalidRequest, $"The field '{CallerText.Show(name)}' must be a text, a number, true or false.");
        }
    }

    private static string? ReadText(ref Utf8JsonReader reader, string name, bool isRead = false)
    {
        if (!isRead)
        {
            reader.Read();
        }

        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        Require(reader.TokenType == JsonTokenType.String);
        RequireShort(reader.ValueSpan.Length, name);
        return reader.GetString();
    }

    /// <summary>The value without its quotes. Unescaping never makes it longer, so it can be done in place later.</summary>
    private static Range? ReadImage(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        Require(reader.TokenType == JsonTokenType.String);
        var start = (int)reader.TokenStartIndex + 1;
        return start..(start + reader.ValueSpan.Length);
    }

    private static void RequireShort(int length, string name)
    {
        if (length > BodyFields.MaxBytes)
        {
            throw new ProblemException(ProblemType.InvalidRequest, $"The '{CallerText.Show(name)}' has more than {BodyFields.MaxBytes} bytes.");
        }
    }

    private static void RequireOnce(bool isFirst, string name)
    {
        if (!isFirst)
        {
            throw new ProblemException(ProblemType.InvalidRequest, $"The body has more than one '{name}'. Send one picture, or several to /v1/detections/batch.");
        }
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
