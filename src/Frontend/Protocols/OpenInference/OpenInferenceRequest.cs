using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;

namespace Detection.Frontend.Protocols.OpenInference;

/// <summary>
/// An inference request with one input, <see cref="DetectionTensors.Image"/>. An input of datatype BYTES has one element, the encoded picture:
/// in base64 in the JSON, or as binary data after the JSON, which begins with its length (binary tensor data extension). An input of datatype
/// UINT8 is binary data: the bytes of the encoded picture, or its pixels.
/// </summary>
/// <param name="Id">The caller's id of the request; the answer repeats it.</param>
/// <param name="Options">The options from the parameters.</param>
/// <param name="Outputs">The outputs of the answer, in this order.</param>
internal sealed record OpenInferenceRequest(string? Id, DetectionOptions Options, IReadOnlyList<RequestedOutput> Outputs)
{
    private const int LengthPrefix = 4;
    private const int MaxIdBytes = 1000;

    // A request with every parameter and output has about fifty.
    private const int MaxTokens = 1000;

    /// <summary>Reads a request, and keeps only the picture in <paramref name="body"/>.</summary>
    /// <param name="body">The body.</param>
    /// <param name="headerLength">Length of the JSON before binary data, in bytes; <see langword="null"/> without binary data.</param>
    /// <param name="maxPicture">Maximum number of bytes of a picture.</param>
    /// <exception cref="ProblemException">The body is not a valid request.</exception>
    public static OpenInferenceRequest Read(PooledBytes body, int? headerLength, int maxPicture)
    {
        if (headerLength == 0)
        {
            return ReadRaw(body, maxPicture);
        }

        if (headerLength > body.Memory.Length)
        {
            throw Invalid($"The header {OpenInferenceEndpoints.HeaderLength} is {headerLength}, but the body has {body.Memory.Length} bytes.");
        }

        try
        {
            var text = body.Memory[..(headerLength ?? body.Memory.Length)];
            RequireFewTokens(text.Span);
            using var json = JsonDocument.Parse(text);
            var root = json.RootElement;
            Require(root.ValueKind == JsonValueKind.Object, "The request must be a JSON object.");
            var id = ReadId(root);
            var parameters = Find(root, "parameters", JsonValueKind.Object);
            var request = new OpenInferenceRequest(id, ReadOptions(parameters), ReadOutputs(root, parameters));
            ReadPicture(root, body, headerLength, maxPicture);
            return request;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // JsonDocument throws InvalidOperationException for a text that is not Unicode: a lone surrogate, or bytes that are not UTF-8.
            throw new ProblemException(ProblemType.InvalidRequest, "The request is not valid JSON.", e);
        }
    }

    /// <summary>Reads a body without JSON, which is the picture. All outputs are binary data, as in Triton.</summary>
    private static OpenInferenceRequest ReadRaw(PooledBytes body, int maxPicture)
    {
        var bytes = body.Span;

        // Some clients write the length before the picture, as for every element of BYTES.
        var start = bytes.Length >= LengthPrefix && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == bytes.Length - LengthPrefix ? LengthPrefix : 0;
        if (bytes.Length - start > maxPicture)
        {
            throw ProblemException.TooLarge(maxPicture);
        }

        body.Slice(start, bytes.Length - start);
        return new OpenInferenceRequest(null, new DetectionOptions(), [.. DetectionTensors.Outputs.Select(static output => new RequestedOutput(output.Name, true))]);
    }

    /// <summary>JsonDocument takes twelve bytes for each value, so a body of many short values would take several times its own size.</summary>
    private static void RequireFewTokens(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text);
        for (var tokens = 0; reader.Read(); tokens++)
        {
            Require(tokens < MaxTokens, $"The JSON of the request has more than {MaxTokens} tokens. Send one picture and its parameters.");
        }
    }

    private static void ReadPicture(JsonElement root, PooledBytes body, int? headerLength, int maxPicture)
    {
        const string Wanted = $"The request must have one input, '{DetectionTensors.Image}', of datatype BYTES with one element, or UINT8.";
        var inputs = Find(root, "inputs", JsonValueKind.Array);
        Require(inputs?.GetArrayLength() == 1, Wanted);
        var input = inputs!.Value[0];
        Require(input.ValueKind == JsonValueKind.Object && Find(input, "name", JsonValueKind.String)?.ValueEquals(DetectionTensors.Image) == true, Wanted);
        var datatype = Find(input, "datatype", JsonValueKind.String);
        var shape = ReadShape(input, Wanted);
        if (datatype?.ValueEquals("UINT8") == true)
        {
            ReadNumbers(input, shape, body, headerLength, maxPicture);
            return;
        }

        Require(datatype?.ValueEquals("BYTES") == true && shape.All(static length => length == 1), Wanted);
        var size = Find(input, "parameters", JsonValueKind.Object) is { } parameters ? Integer(parameters, "binary_data_size") : null;
        if (size is { } binary)
        {
            Require(headerLength is not null, $"Binary data needs the header {OpenInferenceEndpoints.HeaderLength}.");
            ReadBinary(body, headerLength!.Value, binary, maxPicture);
            return;
        }

        var data = Find(input, "data", JsonValueKind.Array);
        while (data is { } nested && nested.GetArrayLength() == 1 && nested[0].ValueKind == JsonValueKind.Array)
        {
            data = nested[0];
        }

        Require(data?.GetArrayLength() == 1 && data.Value[0].ValueKind == JsonValueKind.String, $"The data of '{DetectionTensors.Image}' must be one string, the picture in base64.");
        ReadBase64(data!.Value[0], body, maxPicture);
    }

    private static int[] ReadShape(JsonElement input, string otherwise)
    {
        var shape = Find(input, "shape", JsonValueKind.Array);
        Require(shape is not null, otherwise);
        return [.. shape!.Value.EnumerateArray().Select(length => length.ValueKind == JsonValueKind.Number && length.TryGetInt32(out var number) && number > 0 ? number : throw Invalid(otherwise))];
    }

    /// <summary>UINT8: the encoded picture byte by byte, as DALI's decoder takes it, or pixels.</summary>
    private static void ReadNumbers(JsonElement input, int[] shape, PooledBytes body, int? headerLength, int maxPicture)
    {
        const string Wanted = "UINT8 must have the shape [n] or [1,n], the bytes of an encoded picture, or [height,width,3] or [1,height,width,3], pixels in the order red, green, blue.";
        var size = Find(input, "parameters", JsonValueKind.Object) is { } parameters ? Integer(parameters, "binary_data_size") : null;
        Require(size is not null && headerLength is not null, $"Send UINT8 as binary data: binary_data_size and the header {OpenInferenceEndpoints.HeaderLength}.");
        var start = headerLength!.Value;
        var values = shape.Aggregate(1L, static (product, length) => Math.Min(product * length, int.MaxValue));
        Require(size == body.Span.Length - start && size == values, "The length of the binary data, binary_data_size and the number of elements of the shape must be the same.");
        var inner = shape is [1, .. var rest] && shape.Length is 2 or 4 ? rest : shape;
        switch (inner)
        {
            case [var length] when length <= maxPicture:
                body.Slice(start, length);
                break;
            case [_]:
                throw ProblemException.TooLarge(maxPicture);
            case [var height, var width, PixelPicture.Channels] when Math.Max(height, width) > PixelPicture.MaxSide:
                throw Invalid($"The shape [{string.Join(',', shape)}] is a picture of {width} x {height} pixels. Send at most {PixelPicture.MaxSide} rows, and as many pixels in each.");
            case [var height, var width, PixelPicture.Channels]:
                PixelPicture.Write(body, start, height, width, maxPicture);
                break;
            default:
                throw Invalid(Wanted);
        }
    }

    private static void ReadBinary(PooledBytes body, int headerLength, long size, int maxPicture)
    {
        var all = body.Span[headerLength..];
        Require(size >= LengthPrefix && size == all.Length, "binary_data_size is not the length of the binary data.");
        var length = BinaryPrimitives.ReadUInt32LittleEndian(all);
        Require(length == size - LengthPrefix, "The length before the picture is not the length of the picture. Send one element.");
        if (length > maxPicture)
        {
            throw ProblemException.TooLarge(maxPicture);
        }

        body.Slice(headerLength + LengthPrefix, (int)length);
    }

    private static void ReadBase64(JsonElement text, PooledBytes body, int maxPicture)
    {
        var raw = Raw(text);
        body.Span.Overlaps(raw, out var start);
        var value = body.Span.Slice(start, raw.Length);
        Base64Picture.Decode(body, start, JsonBase64.Unescape(value), DetectionTensors.Image, maxPicture);
    }

    private static DetectionOptions ReadOptions(JsonElement? parameters)
    {
        if (parameters is not { } chosen)
        {
            return new DetectionOptions();
        }

        // Triton's clients send microseconds, sometimes more than a TimeSpan can hold.
        var timeout = Integer(chosen, "timeout") is { } microseconds and > 0
            ? TimeSpan.FromMicroseconds(Math.Min(microseconds, (long)DetectionOptions.MaxDeadline.TotalMicroseconds))
            : (TimeSpan?)null;
        return new DetectionOptions
        {
            Threshold = Share(chosen, "threshold", 0),
            Iou = Share(chosen, "iou", 0.001f),
            Deadline = timeout,
        };
    }

    private static List<RequestedOutput> ReadOutputs(JsonElement root, JsonElement? parameters)
    {
        var binary = parameters is { } all && Flag(all, "binary_data_output");
        if (Find(root, "outputs", JsonValueKind.Array) is not { } outputs || outputs.GetArrayLength() == 0)
        {
            return [.. DetectionTensors.Outputs.Select(output => new RequestedOutput(output.Name, binary))];
        }

        var requested = new List<RequestedOutput>();
        foreach (var output in outputs.EnumerateArray())
        {
            var text = output.ValueKind == JsonValueKind.Object ? Find(output, "name", JsonValueKind.String) : null;
            var name = DetectionTensors.Outputs.FirstOrDefault(known => text?.ValueEquals(known.Name) == true)?.Name;
            if (name is null)
            {
                throw Invalid(text is { } unknown ? $"There is no output '{CallerText.Show(Raw(unknown))}'." : "An output has no name.");
            }

            Require(requested.All(before => before.Name != name), $"The request has the output '{name}' twice. Send it once.");
            var own = Find(output, "parameters", JsonValueKind.Object);
            Require(own?.TryGetProperty("classification", out _) != true, "The classification extension is not supported. Remove the parameter 'classification'.");
            requested.Add(new RequestedOutput(name, own is { } chosen && chosen.TryGetProperty("binary_data", out _) ? Flag(chosen, "binary_data") : binary));
        }

        return requested;
    }

    private static string? ReadId(JsonElement root)
    {
        if (Find(root, "id", JsonValueKind.String) is not { } id)
        {
            return null;
        }

        // The answer repeats the whole id, so a long one is refused and not cut.
        return Raw(id).Length <= MaxIdBytes ? id.GetString() : throw Invalid($"The 'id' has more than {MaxIdBytes} bytes.");
    }

    /// <summary>The bytes of a text in the body, with its escapes and without its quotes. They are not copied.</summary>
    private static ReadOnlySpan<byte> Raw(JsonElement text) => JsonMarshal.GetRawUtf8Value(text)[1..^1];

    private static float? Share(JsonElement parameters, string name, float least)
    {
        if (!parameters.TryGetProperty(name, out var value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out var share) && share >= least && share <= 1
            ? share
            : throw Invalid($"The parameter '{name}' must be a number from {least:0.###} to 1.");
    }

    private static long? Integer(JsonElement parameters, string name)
    {
        if (!parameters.TryGetProperty(name, out var value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= 0
            ? number
            : throw Invalid($"The parameter '{name}' must be a whole number, not negative.");
    }

    private static bool Flag(JsonElement parameters, string name)
    {
        if (!parameters.TryGetProperty(name, out var value))
        {
            return false;
        }

        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Invalid($"The parameter '{name}' must be true or false."),
        };
    }

    private static JsonElement? Find(JsonElement from, string name, JsonValueKind kind)
    {
        if (!from.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return value.ValueKind == kind ? value : throw Invalid($"'{name}' must be a JSON {kind.ToString().ToLowerInvariant()}.");
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw Invalid(otherwise);
        }
    }

    private static ProblemException Invalid(string detail) => new(ProblemType.InvalidRequest, detail);
}

/// <summary>An output that the caller requests.</summary>
/// <param name="Name">Name of the output.</param>
/// <param name="Binary">Whether it is binary data after the JSON instead of a part of it.</param>
internal sealed record RequestedOutput(string Name, bool Binary);
