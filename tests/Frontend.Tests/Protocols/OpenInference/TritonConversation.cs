using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Detection.Frontend.Tests.Protocols.OpenInference;

/// <summary>
/// Sends the exact bytes of Triton's Python client: compact JSON in the client's order of names, the picture as a BYTES element
/// that begins with its length, the client's few headers and no content type.
/// </summary>
internal static class TritonConversation
{
    public static byte[] Element(byte[] picture)
    {
        var element = new byte[4 + picture.Length];
        BinaryPrimitives.WriteInt32LittleEndian(element, picture.Length);
        picture.CopyTo(element, 4);
        return element;
    }

    /// <summary>Posts JSON and binary data and reads the whole answer.</summary>
    public static async Task<TritonAnswer> PostAsync(Uri server, string path, string json, byte[] binary)
    {
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"POST {path} HTTP/1.1\r\nHost: {server.Authority}\r\nUser-Agent: python-geventhttpclient-2.0.11\r\nConnection: close\r\nInference-Header-Content-Length: {Encoding.UTF8.GetByteCount(json)}\r\nContent-Length: {Encoding.UTF8.GetByteCount(json) + binary.Length}\r\n\r\n");
        using var client = new TcpClient();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await client.ConnectAsync(server.Host, server.Port, limit.Token);
        var stream = client.GetStream();
        await stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. Encoding.UTF8.GetBytes(json), .. binary], limit.Token);
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, limit.Token);
        return TritonAnswer.Read(all.ToArray());
    }
}

/// <summary>An answer, parsed as that client does.</summary>
internal sealed record TritonAnswer(int Status, string? HeaderLength, JsonElement Json, byte[] Binary)
{
    public static TritonAnswer Read(byte[] bytes)
    {
        var end = bytes.AsSpan().IndexOf("\r\n\r\n"u8);
        var lines = Encoding.ASCII.GetString(bytes, 0, end).Split("\r\n");
        var headers = lines.Skip(1).ToDictionary(line => line[..line.IndexOf(':')], line => line[(line.IndexOf(':') + 1)..].Trim(), StringComparer.OrdinalIgnoreCase);
        var body = bytes[(end + 4)..];
        if (headers.GetValueOrDefault("Transfer-Encoding") == "chunked")
        {
            body = Unchunk(body);
        }

        var length = headers.GetValueOrDefault("Inference-Header-Content-Length");
        var json = length is null ? body.Length : int.Parse(length, CultureInfo.InvariantCulture);
        return new TritonAnswer(
            int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture), length, JsonDocument.Parse(body.AsMemory(0, json)).RootElement, body[json..]);
    }

    /// <summary>The shape and the bytes of an output; its position is the sum of the sizes before it.</summary>
    public (int[] Shape, byte[] Data) Output(string name, string datatype)
    {
        var start = 0;
        foreach (var output in Json.GetProperty("outputs").EnumerateArray())
        {
            var size = output.GetProperty("parameters").GetProperty("binary_data_size").GetInt32();
            if (output.GetProperty("name").GetString() == name)
            {
                Assert.Equal(datatype, output.GetProperty("datatype").GetString());
                Assert.False(output.TryGetProperty("data", out _));
                return ([.. output.GetProperty("shape").EnumerateArray().Select(d => d.GetInt32())], Binary[start..(start + size)]);
            }

            start += size;
        }

        throw new InvalidOperationException($"No output {name}.");
    }

    private static byte[] Unchunk(byte[] body)
    {
        using var whole = new MemoryStream();
        for (var start = 0; ;)
        {
            var end = start + body.AsSpan(start).IndexOf("\r\n"u8);
            var size = int.Parse(Encoding.ASCII.GetString(body, start, end - start), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (size == 0)
            {
                return whole.ToArray();
            }

            whole.Write(body, end + 2, size);
            start = end + 2 + size + 2;
        }
    }
}
