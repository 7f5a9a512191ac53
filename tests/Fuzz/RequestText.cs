using System.Globalization;
using System.Text;

namespace Detection.Fuzz;

/// <summary>Builds a request as text. It is encoded as Latin-1, so that it can have every byte.</summary>
internal sealed class RequestText(string method, string target)
{
    /// <summary>The method.</summary>
    public string Method { get; set; } = method;

    /// <summary>Path and query.</summary>
    public string Target { get; set; } = target;

    /// <summary>Headers besides Host, Connection and those of the body's length.</summary>
    public List<(string Name, string Value)> Headers { get; } = [];

    /// <summary>The body; <see langword="null"/> for none.</summary>
    public byte[]? Body { get; set; }

    /// <summary>Sizes of the chunks of the body; <see langword="null"/> for a body with a length.</summary>
    public Func<int>? NextChunk { get; set; }

    /// <summary>The content type; the empty text for none.</summary>
    public string ContentType
    {
        set
        {
            Headers.RemoveAll(static header => header.Name == "Content-Type");
            if (value.Length > 0)
            {
                Headers.Add(("Content-Type", value));
            }
        }
    }

    /// <summary>The bytes to send.</summary>
    public byte[] ToBytes()
    {
        using var bytes = new MemoryStream();
        Write(bytes, $"{Method} {Target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        foreach (var (name, value) in Headers)
        {
            Write(bytes, $"{name}: {value}\r\n");
        }

        if (Body is null)
        {
            Write(bytes, "\r\n");
        }
        else if (NextChunk is null)
        {
            Write(bytes, string.Create(CultureInfo.InvariantCulture, $"Content-Length: {Body.Length}\r\n\r\n"));
            bytes.Write(Body);
        }
        else
        {
            Write(bytes, "Transfer-Encoding: chunked\r\n\r\n");
            for (var at = 0; at < Body.Length;)
            {
                var size = Math.Min(NextChunk(), Body.Length - at);
                Write(bytes, string.Create(CultureInfo.InvariantCulture, $"{size:x}\r\n"));
                bytes.Write(Body, at, size);
                Write(bytes, "\r\n");
                at += size;
            }

            Write(bytes, "0\r\n\r\n");
        }

        return bytes.ToArray();
    }

    private static void Write(MemoryStream bytes, string text) => bytes.Write(Encoding.Latin1.GetBytes(text));
}
