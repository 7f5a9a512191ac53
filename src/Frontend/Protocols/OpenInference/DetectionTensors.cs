using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Detection.Contracts.Answers;
using Detection.Objects;

namespace Detection.Frontend.Protocols.OpenInference;

/// <summary>The input and the outputs of a detection as tensors.</summary>
internal static class DetectionTensors
{
    /// <summary>The input: the encoded picture, BYTES [1].</summary>
    public const string Image = "image";

    /// <summary>The outputs, for n objects with the highest score first.</summary>
    public static readonly IReadOnlyList<DetectionTensor> Outputs =
    [
        new("boxes", "FP32", 4,
            static (_, found, json) => Array.ForEach(Corners(found), json.WriteNumberValue),
            static (_, found, bytes) => Array.ForEach(Corners(found), value => Append(bytes, BitConverter.SingleToInt32Bits(value)))),
        new("scores", "FP32", null,
            static (_, found, json) => json.WriteNumberValue(found.Score),
            static (_, found, bytes) => Append(bytes, BitConverter.SingleToInt32Bits(found.Score))),
        new("class_ids", "INT32", null,
            static (_, found, json) => json.WriteNumberValue(found.ClassId),
            static (_, found, bytes) => Append(bytes, found.ClassId)),
        new("labels", "BYTES", null,
            static (answer, found, json) => json.WriteStringValue(answer.LabelOf(found)),
            static (answer, found, bytes) =>
            {
                var text = Encoding.UTF8.GetBytes(answer.LabelOf(found));
                Append(bytes, text.Length);
                bytes.Write(text);
            }),
    ];

    private static float[] Corners(DetectedObject found) => [found.X1, found.Y1, found.X2, found.Y2];

    private static void Append(MemoryStream bytes, int value)
    {
        Span<byte> little = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(little, value);
        bytes.Write(little);
    }
}

/// <summary>One output.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Datatype">FP32, INT32 or BYTES.</param>
/// <param name="Columns">Values per object, the second dimension; <see langword="null"/> for one value and one dimension.</param>
/// <param name="WriteJson">Writes one object's values as JSON.</param>
/// <param name="WriteBinary">Writes one object's values in little-endian; a value of BYTES begins with its length.</param>
internal sealed record DetectionTensor(
    string Name,
    string Datatype,
    int? Columns,
    Action<DetectionAnswer, DetectedObject, Utf8JsonWriter> WriteJson,
    Action<DetectionAnswer, DetectedObject, MemoryStream> WriteBinary);
