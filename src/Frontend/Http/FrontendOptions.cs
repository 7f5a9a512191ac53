using System.ComponentModel.DataAnnotations;
using Detection.Inference.Pictures;

namespace Detection.Frontend.Http;

/// <summary>Settings of the front end, section <c>Detection:Frontend</c>.</summary>
public sealed class FrontendOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Frontend";

    /// <summary>
    /// Most bytes that all uploads in progress, and pictures being drawn, hold together; further ones are refused. 1 MiB to 1 TiB;
    /// default 1 GiB, or a fifth of the memory that the process may use (that of its container where it has a limit) where that is less.
    /// </summary>
    [Range(1L << 20, 1L << 40)]
    public long MaxBufferedBytes { get; set; } = Math.Clamp(ProcessMemory.Available / 5, 1L << 20, 1L << 30);

    /// <summary>
    /// How much of <see cref="MaxBufferedBytes"/> one caller, a key or an address where no keys are asked for, may hold when it is
    /// alone; with others the same share of what they leave. 0.01 to 1; default 0.5.
    /// </summary>
    [Range(0.01, 1.0)]
    public double CallerBufferShare { get; set; } = 0.5;

    /// <summary>
    /// Most connections at the same time, and at most what <see cref="Detection.Hosting.OpenFileLimit"/> leaves; further ones are closed at once.
    /// 1 to 1,000,000; default 10,000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaxConnections { get; set; } = 10_000;

    /// <summary>
    /// How much of <see cref="MaxConnections"/> one address (of IPv6, one network of 64 bits) may hold when it is alone; with others the
    /// same share of what they leave. Behind a reverse proxy every caller has its address. 0.01 to 1; default 0.5.
    /// </summary>
    [Range(0.01, 1.0)]
    public double AddressConnectionShare { get; set; } = 0.5;

    /// <summary>Most bytes of the headers of one request. 4 KiB to 1 MiB; default 32 KiB.</summary>
    [Range(4096, 1 << 20)]
    public int MaxHeaderBytes { get; set; } = 32 * 1024;

    /// <summary>Time in which the headers of a request must have arrived. 1 s to 5 min; default 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan HeadersTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Time in which the body of a request, or one picture of a batch, must have arrived, and after which a batch ends whose sender
    /// takes none of its lines. 1 s to 10 min; default 60 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan UploadTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Least rate of a body that arrives and of an answer that is taken, in bytes per second, after 5 s of grace; slower
    /// connections are closed. 0 (no limit) to 1 MiB/s; default 1024.
    /// </summary>
    [Range(0, 1 << 20)]
    public int MinBytesPerSecond { get; set; } = 1024;

    /// <summary>Annotated pictures drawn at the same time. 1 to 256; default the number of processors.</summary>
    [Range(1, 256)]
    public int MaxConcurrentDrawings { get; set; } = Math.Clamp(Environment.ProcessorCount, 1, 256);

    /// <summary>Annotated pictures that may wait to be drawn; further ones are refused. 0 to 10,000; default 64.</summary>
    [Range(0, 10_000)]
    public int MaxWaitingDrawings { get; set; } = 64;

    /// <summary>How long an annotated picture may wait to be drawn. 100 ms to 60 s; default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan DrawingTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary><c>Retry-After</c> of answers for which the cluster names none. 1 s to 5 min; default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Time that a readiness probe may take. 100 ms to 30 s; default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:30")]
    public TimeSpan ReadinessTimeout { get; set; } = TimeSpan.FromSeconds(2);
}
