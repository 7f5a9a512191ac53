using System.IO.Pipelines;
using System.Net.Security;

namespace Detection.Contracts.Security;

/// <summary>The pipes of a connection after its handshake: those of TLS, or the plain ones.</summary>
internal sealed class SecuredTransport : IDuplexPipe, IAsyncDisposable
{
    private readonly SslStream? _tls;

    /// <summary>Without TLS.</summary>
    public SecuredTransport(IDuplexPipe plain)
    {
        Input = plain.Input;
        Output = plain.Output;
    }

    /// <summary>With TLS, which is disposed of with this.</summary>
    public SecuredTransport(SslStream tls)
    {
        _tls = tls;
        Input = PipeReader.Create(tls, new StreamPipeReaderOptions(leaveOpen: true));
        Output = PipeWriter.Create(tls, new StreamPipeWriterOptions(leaveOpen: true));
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    public ValueTask DisposeAsync() => _tls?.DisposeAsync() ?? ValueTask.CompletedTask;
}
