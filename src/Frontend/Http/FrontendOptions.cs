using System.ComponentModel.DataAnnotations;

namespace Detection.Frontend.Http;

/// <summary>Settings of the front end: section <c>Detection:Frontend</c>.</summary>
public sealed class FrontendOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Frontend";

    /// <summary>
    /// Maximum number of bytes of all uploads in progress and pictures being drawn; further ones are refused. 1 MiB to 1 TiB. Default: 1 GiB, or
    /// a fifth of the memory that the process may use (the limit of its container, if there is one) when that is less.
    /// </summary>
    [Range(1L << 20, 1L << 40)]
    public long MaxBufferedBytes { get; set; } = Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 5, 1L << 20, 1L << 30);

    /// <summary>
    /// Share of <see cref="MaxBufferedBytes"/> that one caller may hold, of what the other callers leave. A caller is a key, or an address when
    /// the server requires no keys. 0.01 to 1; default 0.5.
    /// </summary>
    [Range(0.01, 1.0)]
    public double CallerBufferShare { get; set; } = 0.5;

    /// <summary>
    /// Maximum number of connections; further ones are closed at once. <see cref="Detection.Hosting.OpenFileLimit"/> may lower it.
    /// 1 to 1,000,000; default 10,000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaxConnections { get; set; } = 10_000;

    /// <summary>
    /// Share of <see cref="MaxConnections"/> that one address (of IPv6, one network of 64 bits) may hold, of what the other addresses leave.
    /// Behind a reverse proxy all callers have the address of the proxy. 0.01 to 1; default 0.5.
    /// </summary>
    [Range(0.01, 1.0)]
    public double AddressConnectionShare { get; set; } = 0.5;

    /// <summary>Maximum number of bytes of the headers of one request. 4 KiB to 1 MiB; default 32 KiB.</summary>
    [Range(4096, 1 << 20)]
    public int MaxHeaderBytes { get; set; } = 32 * 1024;

    /// <summary>Maximum time until the headers of a request have arrived. 1 s to 5 min; default 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan HeadersTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Maximum time to receive the body of a request, or one picture of a batch. A batch whose caller reads none of its lines for this time is
    /// closed. 1 s to 10 min; default 60 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan UploadTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Minimum rate at which a caller sends a body and reads an answer, in bytes per second; slower connections are closed after 5 s. 0 (no
    /// limit) to 1 MiB/s; default 1024.
    /// </summary>
    [Range(0, 1 << 20)]
    public int MinBytesPerSecond { get; set; } = 1024;

    /// <summary>Number of annotated pictures that are drawn at the same time. 1 to 256; default: the number of processors.</summary>
    [Range(1, 256)]
    public int MaxConcurrentDrawings { get; set; } = Math.Clamp(Environment.ProcessorCount, 1, 256);

    /// <summary>Maximum number of annotated pictures that wait to be drawn; further ones are refused. 0 to 10,000; default 64.</summary>
    [Range(0, 10_000)]
    public int MaxWaitingDrawings { get; set; } = 64;

    /// <summary>Maximum time that an annotated picture waits to be drawn. 100 ms to 60 s; default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan DrawingTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary><c>Retry-After</c> of answers for which the cluster calculates none. 1 s to 5 min; default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Maximum time of a readiness probe. 100 ms to 30 s; default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:30")]
    public TimeSpan ReadinessTimeout { get; set; } = TimeSpan.FromSeconds(2);
}
