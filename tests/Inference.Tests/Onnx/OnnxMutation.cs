namespace Detection.Inference.Tests.Onnx;

/// <summary>
/// Damages ONNX files: byte by byte, as by a bad disk or a broken download, and field by field, as by a bad exporter or an attacker, so that the file
/// can still be parsed and the damage reaches later stages.
/// </summary>
internal sealed class OnnxMutation(int seed)
{
    private static readonly Kind Leaf = new();
    private static readonly Kind Tensor = new() { [13] = Leaf };
    private static readonly Kind Attribute = new() { [5] = Tensor };
    private static readonly Kind Node = new() { [5] = Attribute };
    private static readonly Kind Shape = new() { [1] = Leaf };
    private static readonly Kind ValueInfo = new() { [2] = new() { [1] = new() { [2] = Shape } } };
    private static readonly Kind Graph = new() { [1] = Node, [5] = Tensor, [11] = ValueInfo, [12] = ValueInfo, [13] = ValueInfo };
    private static readonly Kind Model = new() { [7] = Graph, [8] = Leaf, [14] = Leaf };

    private readonly Random _random = new(seed);

    /// <summary>A damaged copy of the first file, with parts of the second.</summary>
    public byte[] Of(byte[] file, byte[] other)
    {
        if (_random.Next(4) == 0)
        {
            return Bytes([.. file]);
        }

        var tree = Parse(file, Model);
        var donor = Parse(other, Model);
        for (var i = _random.Next(1, 4); i > 0; i--)
        {
            Change(tree, donor);
        }

        return Write(tree);
    }

    private byte[] Bytes(byte[] file)
    {
        if (_random.Next(4) == 0)
        {
            return file[..Near(file)];
        }

        for (var i = _random.Next(1, 6); i > 0; i--)
        {
            file[Near(file)] ^= (byte)(1 << _random.Next(8));
        }

        return file;
    }

    /// <summary>A place near the start or the end of a file: the middle contains weights.</summary>
    private int Near(byte[] file)
    {
        var place = _random.Next(Math.Min(file.Length, 50_000));
        return _random.Next(2) == 0 ? place : file.Length - 1 - place;
    }

    private void Change(List<Field> tree, List<Field> donor)
    {
        var lists = ListsOf(tree);
        if (lists.Count == 0)
        {
            return;
        }

        var list = lists[_random.Next(lists.Count)];
        var at = _random.Next(list.Count);
        var field = list[at];
        switch (_random.Next(6))
        {
            case 0:
                list.RemoveAt(at);
                break;
            case 1:
                list.Insert(_random.Next(list.Count), Copy(field));
                break;
            case 2:
                var to = _random.Next(list.Count);
                (list[at], list[to]) = (list[to], list[at]);
                break;
            case 3:
                var alike = ListsOf(_random.Next(2) == 0 ? tree : donor).SelectMany(l => l).Where(f => f.Number == field.Number && f.Wire == field.Wire).ToList();
                if (alike.Count > 0)
                {
                    list[at] = Copy(alike[_random.Next(alike.Count)]);
                }

                break;
            default:
                list[at] = Value(field);
                break;
        }

    }

    /// <summary>A message must not contain itself.</summary>
    private static Field Copy(Field field) => field with { Inner = field.Inner?.ConvertAll(Copy) };

    private Field Value(Field field)
    {
        if (field.Wire == 0)
        {
            ulong[] values = [0, 1, 2, 7, 16, 255, int.MaxValue, 1UL << 31, uint.MaxValue, 1UL << 40, long.MaxValue, ulong.MaxValue, field.Value + 1, field.Value - 1, field.Value * 3];
            return field with { Value = values[_random.Next(values.Length)] };
        }

        if (field.Data is not { Length: > 0 } data)
        {
            return field;
        }

        var copy = data.ToArray();
        switch (_random.Next(3))
        {
            case 0:
                return field with { Data = copy[.._random.Next(copy.Length)] };
            case 1:
                return field with { Data = [.. copy, .. copy] };
            default:
                copy[_random.Next(copy.Length)] ^= (byte)(1 << _random.Next(8));
                return field with { Data = copy };
        }
    }

    private static List<List<Field>> ListsOf(List<Field> fields)
    {
        var lists = new List<List<Field>>();
        if (fields.Count > 0)
        {
            lists.Add(fields);
        }

        foreach (var field in fields)
        {
            if (field.Inner is not null)
            {
                lists.AddRange(ListsOf(field.Inner));
            }
        }

        return lists;
    }

    private static List<Field> Parse(ReadOnlySpan<byte> data, Kind kind)
    {
        var fields = new List<Field>();
        while (data.Length > 0)
        {
            var key = Varint(ref data);
            var (number, wire) = ((int)(key >> 3), (int)(key & 7));
            switch (wire)
            {
                case 0:
                    fields.Add(new Field(number, wire, Varint(ref data), null, null));
                    break;
                case 5 or 1:
                    var size = wire == 5 ? 4 : 8;
                    fields.Add(new Field(number, wire, 0, data[..size].ToArray(), null));
                    data = data[size..];
                    break;
                default:
                    var length = (int)Varint(ref data);
                    var part = data[..length];
                    data = data[length..];
                    fields.Add(kind.TryGetValue(number, out var inner)
                        ? new Field(number, wire, 0, null, Parse(part, inner))
                        : new Field(number, wire, 0, part.ToArray(), null));
                    break;
            }
        }

        return fields;
    }

    private static byte[] Write(List<Field> fields)
    {
        using var stream = new MemoryStream();
        foreach (var field in fields)
        {
            Varint(stream, ((ulong)field.Number << 3) | (uint)field.Wire);
            if (field.Wire == 0)
            {
                Varint(stream, field.Value);
                continue;
            }

            var data = field.Inner is null ? field.Data! : Write(field.Inner);
            if (field.Wire == 2)
            {
                Varint(stream, (ulong)data.Length);
            }

            stream.Write(data);
        }

        return stream.ToArray();
    }

    private static ulong Varint(ref ReadOnlySpan<byte> data)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = data[0];
            data = data[1..];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }

    private static void Varint(Stream stream, ulong value)
    {
        while (value >= 0x80)
        {
            stream.WriteByte((byte)(value | 0x80));
            value >>= 7;
        }

        stream.WriteByte((byte)value);
    }

    /// <summary>A field of a message: a number, bytes, or a message.</summary>
    private sealed record Field(int Number, int Wire, ulong Value, byte[]? Data, List<Field>? Inner);

    /// <summary>The fields of a message that are messages.</summary>
    private sealed class Kind : Dictionary<int, Kind>;
}
