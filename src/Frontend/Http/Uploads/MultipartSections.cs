using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Detection.Frontend.Http.Uploads;

/// <summary>
/// Reads the sections of a multipart body, one after the other, and limits the length of their headers. The reader of ASP.NET Core checks the
/// length of a header line only within each buffer (dotnet/aspnetcore #67838), so that one line could use unlimited memory.
/// </summary>
/// <param name="boundary">The boundary.</param>
/// <param name="body">The body.</param>
/// <param name="toEnd">Whether to read the body to its end after the last section: the checksum of a compressed body is there.</param>
internal sealed class MultipartSections(string boundary, Stream body, bool toEnd)
{
    /// <summary>Maximum number of bytes between two bodies: the boundary, the headers, and what the reader reads ahead.</summary>
    private const int MaxHeadBytes = 32 * 1024;

    private readonly Bound _bound = new();
    private MultipartReader? _reader;
    private MultipartSection? _current;

    /// <returns>The next section with a Content-Disposition; <see langword="null"/> after the last.</returns>
    /// <exception cref="InvalidDataException">The headers of a section are too long.</exception>
    public async ValueTask<MultipartField?> ReadNextAsync(CancellationToken cancellationToken)
    {
        while (await ReadSectionAsync(cancellationToken) is { } section)
        {
            if (section.GetContentDispositionHeader() is { } disposition)
            {
                return new MultipartField(HeaderUtilities.RemoveQuotes(disposition.Name).ToString(), disposition, section.Body);
            }
        }

        if (toEnd)
        {
            await body.CopyToAsync(Stream.Null, cancellationToken);
        }

        return null;
    }

    private async Task<MultipartSection?> ReadSectionAsync(CancellationToken cancellationToken)
    {
        if (_current is not null)
        {
            // The limit does not apply to the unread rest of the section, which is discarded.
            await _current.Body.DrainAsync(cancellationToken);
        }

        _reader ??= new MultipartReader(boundary, new BoundedStream(body, _bound));
        _bound.Left = MaxHeadBytes;
        try
        {
            return _current = await _reader.ReadNextSectionAsync(cancellationToken);
        }
        finally
        {
            _bound.Left = null;
        }
    }

    /// <summary>Number of bytes that may still be read; <see langword="null"/> for no limit.</summary>
    private sealed class Bound
    {
        public int? Left { get; set; }
    }

    private sealed class BoundedStream(Stream body, Bound bound) : CheckedStream(body)
    {
        protected override async ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var read = await stream.ReadAsync(buffer, cancellationToken);
            if (bound.Left is { } left)
            {
                bound.Left = left - read;
                if (bound.Left < 0)
                {
                    throw new InvalidDataException($"The headers of a section are longer than {MaxHeadBytes} bytes.");
                }
            }

            return read;
        }
    }
}

/// <summary>A section of a form.</summary>
/// <param name="Name">Name of the field.</param>
/// <param name="Disposition">The header, which has the file name too.</param>
/// <param name="Body">The content.</param>
internal sealed record MultipartField(string Name, ContentDispositionHeaderValue Disposition, Stream Body);
