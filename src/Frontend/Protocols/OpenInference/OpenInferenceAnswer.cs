using System.Text.Json;
using Detection.Contracts.Answers;

namespace Detection.Frontend.Protocols.OpenInference;

/// <summary>Writes the answer to an inference request: JSON, and after it the outputs that were requested as binary data.</summary>
internal static class OpenInferenceAnswer
{
    /// <summary>The body, and the length of its JSON when binary data follows.</summary>
    public static (ReadOnlyMemory<byte> Body, int? HeaderLength) Write(string model, OpenInferenceRequest request, DetectionAnswer answer)
    {
        using var binary = new MemoryStream();
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            if (request.Id is not null)
            {
                json.WriteString("id", request.Id);
            }

            json.WriteString("model_name", model);
            json.WriteString("model_version", answer.Model[(answer.Model.LastIndexOf('@') + 1)..]);
            json.WriteStartObject("parameters");
            json.WriteString("image_key", answer.ImageKey);
            json.WriteNumber("image_width", answer.Width);
            json.WriteNumber("image_height", answer.Height);
            json.WriteEndObject();
            json.WriteStartArray("outputs");
            foreach (var output in request.Outputs)
            {
                WriteOutput(output, answer, json, binary);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        var headerLength = (int)body.Length;
        binary.WriteTo(body);
        return (body.GetBuffer().AsMemory(0, (int)body.Length), request.Outputs.Any(static output => output.Binary) ? headerLength : null);
    }

    private static void WriteOutput(RequestedOutput output, DetectionAnswer answer, Utf8JsonWriter json, MemoryStream binary)
    {
        var tensor = DetectionTensors.Outputs.Single(known => known.Name == output.Name);
        json.WriteStartObject();
        json.WriteString("name", tensor.Name);
        json.WriteString("datatype", tensor.Datatype);
        json.WriteStartArray("shape");
        json.WriteNumberValue(answer.Objects.Count);
        if (tensor.Columns is { } columns)
        {
            json.WriteNumberValue(columns);
        }

        json.WriteEndArray();
        if (output.Binary)
        {
            var start = binary.Length;
            foreach (var found in answer.Objects)
            {
                tensor.WriteBinary(answer, found, binary);
            }

            json.WriteStartObject("parameters");
            json.WriteNumber("binary_data_size", binary.Length - start);
            json.WriteEndObject();
        }
        else
        {
            json.WriteStartArray("data");
            foreach (var found in answer.Objects)
            {
                tensor.WriteJson(answer, found, json);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }
}
