using System.Text;

namespace Detection.Inference.Graphs;

/// <summary>
/// Reads the names of a graph's weight files from an ONNX file without loading it, so that they can be checked before the runtime opens them. Field
/// numbers are those of onnx.proto. Weights inside the file are skipped.
/// </summary>
internal sealed class OnnxReader
{
    /// <summary>Maximum depth of nested graphs; the runtime's own limit of nested messages is 100.</summary>
    private const int DeepestMessage = 100;

    /// <summary>Longest name of a file.</summary>
    private const int MaxLocationLength = 4096;

    private readonly Stream _stream;
    private readonly SortedSet<string> _locations = new(StringComparer.Ordinal);

    private OnnxReader(Stream stream) => _stream = stream;

    /// <summary>The weight files that a graph's tensors name, in order.</summary>
    /// <exception cref="InvalidDataException">It is not an ONNX file.</exception>
    public static IReadOnlyCollection<string> ExternalFiles(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 * 1024);
        var reader = new OnnxReader(file);
        reader.Read(Model, file.Length, 0);
        return reader._locations;
    }

    private static readonly Message Tensor = new();
    private static readonly Message SparseTensor = new() { [1] = Tensor, [2] = Tensor };
    private static readonly Message Attribute = new() { [5] = Tensor, [10] = Tensor, [22] = SparseTensor, [23] = SparseTensor };
    private static readonly Message Node = new() { [5] = Attribute };
    private static readonly Message Graph = new() { [1] = Node, [5] = Tensor, [15] = SparseTensor };
    private static readonly Message Function = new() { [7] = Node, [11] = Attribute };
    private static readonly Message Training = new() { [1] = Graph, [2] = Graph };
    private static readonly Message Model = new() { [7] = Graph, [20] = Training, [25] = Function };

    static OnnxReader() => (Attribute[6], Attribute[11]) = (Graph, Graph);

    private void Read(Message message, long end, int depth)
    {
        if (depth > DeepestMessage)
        {
            throw new InvalidDataException("its graphs are nested too deeply");
        }

        bool isExternal = false;
        var locations = new List<string>();
        while (_stream.Position < end)
        {
            ulong key = Varint(end);
            (int field, int kind) = ((int)Math.Min(key >> 3, int.MaxValue), (int)(key & 7));
            switch (kind)
            {
                case 0:
                    ulong value = Varint(end);
                    isExternal = message == Tensor && field == 14 ? value == 1 : isExternal;
                    break;
                case 1:
                    Skip(8, end);
                    break;
                case 5:
                    Skip(4, end);
                    break;
                case 2:
                    long length = Length(end);
                    if (message == Tensor && field == 13)
                    {
                        AddLocation(locations, _stream.Position + length);
                    }
                    else if (message.TryGetValue(field, out var inner))
                    {
                        Read(inner, _stream.Position + length, depth + 1);
                    }
                    else
                    {
                        Skip(length, end);
                    }

                    break;
                default:
                    throw new InvalidDataException("it is not a protocol buffer");
            }
        }

        if (isExternal)
        {
            _locations.UnionWith(locations.Count > 0 ? locations : throw new InvalidDataException("a tensor does not say in which file its values lie"));
        }
    }

    /// <summary>An entry of external_data: key and value.</summary>
    private void AddLocation(List<string> locations, long end)
    {
        string? key = null;
        string? value = null;
        while (_stream.Position < end)
        {
            ulong field = Varint(end);
            if ((field & 7) != 2)
            {
                throw new InvalidDataException("an entry of external_data is not text");
            }

            long length = Length(end);
            if (field >> 3 is 1 or 2 && length <= MaxLocationLength)
            {
                byte[] text = new byte[length];
                _stream.ReadExactly(text);
                (key, value) = field >> 3 == 1 ? (Encoding.UTF8.GetString(text), value) : (key, Encoding.UTF8.GetString(text));
            }
            else
            {
                Skip(length, end);
            }
        }

        if (key == "location")
        {
            locations.Add(value ?? "");
        }
    }

    private long Length(long end)
    {
        ulong length = Varint(end);
        return length <= (ulong)(end - _stream.Position) ? (long)length : throw new InvalidDataException("it ends before its parts do");
    }

    private void Skip(long length, long end)
    {
        if (length > end - _stream.Position)
        {
            throw new InvalidDataException("it ends before its parts do");
        }

        // The stream does not seek within its buffer.
        _stream.Seek(length, SeekOrigin.Current);
    }

    private ulong Varint(long end)
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            int next = _stream.Position < end ? _stream.ReadByte() : -1;
            if (next < 0)
            {
                throw new InvalidDataException("it ends before its parts do");
            }

            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException("it is not a protocol buffer");
    }

    /// <summary>The fields of a message that are messages which may contain tensors.</summary>
    private sealed class Message : Dictionary<int, Message>;
}
