using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Detection.Frontend.Http.Uploads;

/// <summary>
/// The sections of a multipart body, one after the other. What stands before each, its headers, is bounded: the reader of ASP.NET Core checks the
/// length of a header line for each piece that arrives and not for the whole (dotnet/aspnetcore #67838), so that one line can take any memory.
/// </summary>
internal sealed class MultipartSections(string boundary, Stream body)
{
    /// <summary>Most bytes between two bodies: boundary and headers, and what the reader has read ahead.</summary>
    private const int MaxHeadBytes = 32 * 1024;

    private readonly Bound _bound = new();
    private MultipartReader? _reader;
    private MultipartSection? _current;

    /// <returns>The next section that says what it is; <see langword="null"/> behind the last.</returns>
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

        return null;
    }

    private async Task<MultipartSection?> ReadSectionAsync(CancellationToken cancellationToken)
    {
        if (_current is not null)
        {
            // The unread rest is read without a bound, and not kept.
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

    /// <summary>How many bytes may still be read; no bound while it is <see langword="null"/>.</summary>
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
/// <param name="Name">Its name.</param>
/// <param name="Disposition">Its name, and that of a file.</param>
/// <param name="Body">What is in it.</param>
internal sealed record MultipartField(string Name, ContentDispositionHeaderValue Disposition, Stream Body);
