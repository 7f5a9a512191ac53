using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using static Detection.Inference.Inspection.InspectionDraft;

namespace Detection.Inference.Inspection;

/// <summary>Reads the picture input of a graph.</summary>
internal static class InputReading
{
    /// <summary>Finds the input, and records its name, layout, type and size.</summary>
    public static (string Name, NodeMetadata Data) Read(InspectionDraft draft)
    {
        var (name, data) = Find(draft);
        if (data.Dimensions.Length != 4)
        {
            throw draft.Fault($"the input {name} has {data.Dimensions.Length} dimensions, not 4; export it with [batch, 3, height, width]");
        }

        var layout = Layout(draft, name, data);
        var input = new JsonObject { ["name"] = name, ["layout"] = layout, ["element"] = Element(draft, name, data) };
        var (height, width) = layout == "nhwc" ? (data.Dimensions[1], data.Dimensions[2]) : (data.Dimensions[2], data.Dimensions[3]);
        if ((height <= 0 || width <= 0) && draft.Metadata.TryGetValue("imgsz", out var imgsz) && PythonLiteral.Numbers(imgsz) is { Count: 1 or 2 } size)
        {
            height = height <= 0 ? size[0] : height;
            width = width <= 0 ? size[^1] : width;
            draft.Notes.Add($"size {width}×{height}: metadata imgsz");
        }

        if (width > 0)
        {
            input["width"] = width;
        }

        if (height > 0)
        {
            input["height"] = height;
        }

        draft.FromGraph["input"] = input;
        return (name, data);
    }

    /// <summary>The type of the input's values, as in the manifest.</summary>
    public static string Element(InspectionDraft draft, string name, NodeMetadata data) => data.ElementDataType switch
    {
        TensorElementType.Float => "float32",
        TensorElementType.Float16 => "float16",
        TensorElementType.UInt8 => "uint8",
        _ => throw draft.Fault($"the input {name} takes {data.ElementDataType}; export it for float32, float16 or uint8"),
    };

    private static (string Name, NodeMetadata Data) Find(InspectionDraft draft)
    {
        var inputs = draft.Session.InputMetadata;
        if (Text(draft.Lines["input"]?["name"]) is { } given)
        {
            return inputs.TryGetValue(given, out var data)
                ? (given, data)
                : throw draft.Fault($"\"input.name\" is {given}, but the graph's inputs are {string.Join(", ", inputs.Keys)}; write one of them");
        }

        var pictures = inputs.Where(i => i.Value.IsTensor && i.Value.Dimensions.Length == 4).ToList();
        return pictures switch
        {
            [var one] => (one.Key, one.Value),
            [] => throw draft.Fault($"the graph has no picture input of four dimensions but {string.Join(", ", GraphTensor.AllOf(inputs))}; export it with [batch, 3, height, width]"),
            _ => throw draft.Fault($"the graph has several picture inputs; write \"input\": {{ \"name\": \"{pictures[0].Key}\" }} or another of {string.Join(", ", pictures.Select(p => p.Key))}"),
        };
    }

    private static string Layout(InspectionDraft draft, string name, NodeMetadata data)
    {
        var dimensions = data.Dimensions;

        // TensorFlow exports leave all dimensions except the channels open. Hugging Face's exports leave the channels open too, but name them.
        bool AreColours(int i) => dimensions[i] == 3 || (dimensions[i] < 0 && data.SymbolicDimensions[i].Contains("channel", StringComparison.OrdinalIgnoreCase));
        if ((Text(draft.Lines["input"]?["layout"]) ?? (AreColours(1) ? "nchw" : AreColours(3) ? "nhwc" : null)) is { } layout)
        {
            return layout;
        }

        if (dimensions[1] > 0 && dimensions[3] > 0)
        {
            throw draft.Fault($"the input {name} [{string.Join(", ", dimensions)}] has no dimension of 3 colours; only colour models can be used");
        }

        if (!draft.Metadata.ContainsKey("stride"))
        {
            draft.Missing.Add("write \"input\": { \"layout\": \"nchw\" } or \"nhwc\", because the graph does not show which dimension is the channel");
        }

        return "nchw";
    }
}
