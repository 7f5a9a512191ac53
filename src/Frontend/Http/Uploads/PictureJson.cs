using System.Text;
using System.Text.Json;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;

namespace Detection.Frontend.Http.Uploads;

/// <summary>The content of <c>{"url": …}</c> or <c>{"image": base64}</c>.</summary>
/// <param name="Url">The URL.</param>
/// <param name="Image">Position of the picture's text in the JSON, with its escapes and without its quotes.</param>
internal readonly record struct PictureJson(string? Url, Range? Image)
{
    /// <param name="json">The JSON.</param>
    /// <param name="fields">Collects the parameters beside the picture.</param>
    /// <exception cref="ProblemException">The JSON has no picture, or two, or an unknown property.</exception>
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

            // Read to the end, to refuse a truncated body and text after the object.
            while (reader.Read())
            {
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The reader throws InvalidOperationException for a text that is not Unicode: a lone surrogate, or bytes that are not UTF-8.
            throw new ProblemException(ProblemType.InvalidRequest, "The body is not valid JSON.", e);
        }

        Require(url is null != image is null);
        return new PictureJson(url, image);
    }

    private static void ReadField(ref Utf8JsonReader reader, BodyFields fields)
    {
        // No parameter has a longer name, so the rest of it is not read.
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

    /// <summary>The position of the value without its quotes. It can be unescaped in place later, because that never makes it longer.</summary>
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
