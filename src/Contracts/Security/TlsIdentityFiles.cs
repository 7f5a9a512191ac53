using Microsoft.Extensions.Logging;

namespace Detection.Contracts.Security;

/// <summary>The certificate of this process, read again when its files change. Only new connections use the new one.</summary>
internal sealed partial class TlsIdentityFiles(ClusterSecurityOptions options, TimeProvider time, ILogger logger)
{
    // Limits how often connections of outsiders make this process read files.
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private TlsIdentity _identity = TlsIdentity.Load(options);
    private long _checked = time.GetTimestamp();

    /// <summary>The current content of the files, or their last usable content.</summary>
    public TlsIdentity Current
    {
        get
        {
            lock (_gate)
            {
                if (time.GetElapsedTime(_checked) >= CheckInterval)
                {
                    _checked = time.GetTimestamp();
                    Reload();
                }

                return _identity;
            }
        }
    }

    private void Reload()
    {
        try
        {
            if (!_identity.IsUnchanged(options))
            {
                _identity = TlsIdentity.Load(options);
                LogReloaded(options.Certificate);
            }
        }
        catch (InvalidDataException e)
        {
            LogKept(e.Message);
        }
    }

    [LoggerMessage(3, LogLevel.Information, "The certificate in '{File}' has changed; new connections between the processes of the cluster use it.")]
    private partial void LogReloaded(string file);

    [LoggerMessage(4, LogLevel.Warning, "{Reason} The certificate and the authorities that were read before stay in use.")]
    private partial void LogKept(string reason);
}
