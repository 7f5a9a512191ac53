using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Tests.Onnx;

/// <summary>Writes small ONNX files. The field numbers are those of onnx.proto; it supports only what the tests need.</summary>
internal sealed class OnnxGraph
{
    private readonly Message _graph = new();
    private readonly Message _metadata = new();
    private readonly Message _functions = new();
    private int _names;

    /// <summary>Version of the operator set.</summary>
    public int OperatorSet { get; init; } = 13;

    /// <summary>Prefix of names: a graph inside another one needs different names.</summary>
    public string Prefix { get; init; } = "v";

    /// <summary>A dimension: a number, or the name of an open one.</summary>
    internal readonly record struct Dim(long Value, string? Name)
    {
        public static implicit operator Dim(int value) => new(value, null);

        public static implicit operator Dim(string name) => new(0, name);
    }

    /// <summary>Declares an input and returns its name.</summary>
    public string Input(string name, TensorElementType type, params Dim[] shape)
    {
        _graph.Add(11, ValueInfo(name, type, shape));
        return name;
    }

    /// <summary>Declares an output. <paramref name="value"/> is renamed to it with Identity.</summary>
    public OnnxGraph Output(string name, string value, TensorElementType type, params Dim[] shape)
    {
        Node("Identity", [value], name, []);
        _graph.Add(12, ValueInfo(name, type, shape));
        return this;
    }

    /// <summary>Declares an output a second time.</summary>
    public OnnxGraph Again(string name, params Dim[] shape)
    {
        _graph.Add(12, ValueInfo(name, TensorElementType.Float, shape));
        return this;
    }

    /// <summary>A line of the custom metadata.</summary>
    public OnnxGraph Metadata(string key, string value)
    {
        _metadata.Add(14, new Message().Add(1, key).Add(2, value));
        return this;
    }

    /// <summary>A constant of floats; returns its name.</summary>
    public string Floats(ReadOnlySpan<float> values, params long[] shape) => Constant(TensorElementType.Float, MemoryMarshal.AsBytes(values), shape);

    /// <summary>A constant of 64-bit integers; returns its name.</summary>
    public string Longs(params long[] values) => Constant(TensorElementType.Int64, MemoryMarshal.AsBytes(values.AsSpan()), values.Length);

    /// <summary>A constant of floats in a file beside the graph; returns its name.</summary>
    public string External(string file, params long[] shape)
    {
        var name = NextName();
        var tensor = shape.Aggregate(new Message(), (t, d) => t.Add(1, d)).Add(2, (int)TensorElementType.Float).Add(8, name);
        _graph.Add(5, tensor.Add(13, new Message().Add(1, "location").Add(2, file)).Add(14, 1));
        return name;
    }

    /// <summary>Adds an operation with one output; returns its name.</summary>
    public string Node(string operation, string[] inputs, params (string Name, object Value)[] attributes) =>
        Node(operation, inputs, NextName(), attributes);

    /// <summary>Adds an operation of another domain, which the file does not import; returns its name.</summary>
    public string Plugin(string domain, string operation, string input)
    {
        var output = NextName();
        _graph.Add(1, new Message().Add(1, input).Add(2, output).Add(4, operation).Add(7, domain));
        return output;
    }

    /// <summary>
    /// Calls a function that calls another one twice, which calls another one twice, and so on; returns its name. The runtime takes
    /// twice as long for each (onnxruntime #20354).
    /// </summary>
    public string CallDoubling(string input, int functions)
    {
        const string Domain = "doubling";
        for (int i = 0; i < functions; i++)
        {
            _functions.Add(25, new Message().Add(1, $"F{i}").Add(4, "a").Add(5, "c").Add(7, Call(i + 1, "a", "b")).Add(7, Call(i + 1, "b", "c"))
                .Add(9, new Message().Add(1, "").Add(2, OperatorSet)).Add(9, new Message().Add(1, Domain).Add(2, 1)).Add(10, Domain));
        }

        _functions.Add(8, new Message().Add(1, Domain).Add(2, 1));
        string output = NextName();
        _graph.Add(1, Call(0, input, output));
        return output;

        Message Call(int function, string from, string to) => function == functions
            ? new Message().Add(1, from).Add(2, to).Add(4, "Identity")
            : new Message().Add(1, from).Add(2, to).Add(4, $"F{function}").Add(7, Domain);
    }

    /// <summary>The file.</summary>
    public byte[] ToBytes()
    {
        var model = new Message()
            .Add(1, 8)
            .Add(2, "tests")
            .Add(8, new Message().Add(1, "").Add(2, OperatorSet))
            .Add(7, new Message().Append(_graph).Add(2, "graph"))
            .Append(_functions)
            .Append(_metadata);
        return model.ToArray();
    }

    /// <summary>A file with these operations and outputs added to those of a model.</summary>
    public byte[] AddedTo(byte[] model) => [.. model, .. new Message().Add(7, _graph).ToArray()];

    /// <summary>Writes the file and returns its path.</summary>
    public string Save(string path)
    {
        File.WriteAllBytes(path, ToBytes());
        return path;
    }

    private string Node(string operation, string[] inputs, string output, (string Name, object Value)[] attributes)
    {
        var node = new Message();
        foreach (var input in inputs)
        {
            node.Add(1, input);
        }

        node.Add(2, output).Add(4, operation);
        foreach (var (name, value) in attributes)
        {
            var attribute = new Message().Add(1, name);
            _ = value switch
            {
                float f => attribute.Add(2, f).Add(20, 1),
                int i => attribute.Add(3, i).Add(20, 2),
                OnnxGraph inner => attribute.Add(6, new Message().Append(inner._graph).Add(2, "inner")).Add(20, 5),
                long[] many => many.Aggregate(attribute, (a, v) => a.Add(8, v)).Add(20, 7),
                _ => throw new NotSupportedException(value.GetType().Name),
            };
            node.Add(5, attribute);
        }

        _graph.Add(1, node);
        return output;
    }

    private string Constant(TensorElementType type, ReadOnlySpan<byte> data, params long[] shape)
    {
        var name = NextName();
        var tensor = shape.Aggregate(new Message(), (t, d) => t.Add(1, d)).Add(2, (int)type).Add(8, name).Add(9, data);
        _graph.Add(5, tensor);
        return name;
    }

    private string NextName() => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{_names++}");

    private static Message ValueInfo(string name, TensorElementType type, Dim[] shape)
    {
        var dims = new Message();
        foreach (var dim in shape)
        {
            dims.Add(1, dim.Name is null ? new Message().Add(1, dim.Value) : new Message().Add(2, dim.Name));
        }

        return new Message().Add(1, name).Add(2, new Message().Add(1, new Message().Add(1, (int)type).Add(2, dims)));
    }

    /// <summary>A protocol buffer message under construction.</summary>
    private sealed class Message
    {
        private readonly List<byte> _bytes = [];

        public byte[] ToArray() => [.. _bytes];

        public Message Append(Message other)
        {
            _bytes.AddRange(other._bytes);
            return this;
        }

        public Message Add(int field, long value)
        {
            Varint((ulong)field << 3);
            Varint((ulong)value);
            return this;
        }

        public Message Add(int field, float value)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
            Varint(((ulong)field << 3) | 5);
            _bytes.AddRange(bytes);
            return this;
        }

        public Message Add(int field, ReadOnlySpan<byte> value)
        {
            Varint(((ulong)field << 3) | 2);
            Varint((ulong)value.Length);
            _bytes.AddRange(value);
            return this;
        }

        public Message Add(int field, string value) => Add(field, Encoding.UTF8.GetBytes(value));

        public Message Add(int field, Message value) => Add(field, value.ToArray());

        private void Varint(ulong value)
        {
            while (value >= 0x80)
            {
                _bytes.Add((byte)(value | 0x80));
                value >>= 7;
            }

            _bytes.Add((byte)value);
        }
    }
}
