using System.ComponentModel.DataAnnotations;
using System.Numerics;

namespace Detection.Embedded;

/// <summary>Settings of one-process mode: section <c>Detection:Embedded</c>. They have no effect when a Redis connection string is set.</summary>
public sealed class EmbeddedOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Embedded";

    /// <summary>
    /// Memory of the embedded Redis-compatible server, in MiB. When it is full, the oldest results are evicted. A quarter of it is for queues,
    /// webhooks, states of requests and membership, which are never evicted; when this quarter is full, new requests are refused.
    /// 32 to 65536. Default: 256, or an eighth of the memory that the process may use, rounded down to a power of two, when that is less.
    /// </summary>
    [Range(32, 65536)]
    public int RedisMemoryMegabytes { get; set; } = 1 << BitOperations.Log2((uint)Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8 >> 20, 32, 256));

    /// <summary>
    /// Memory of pictures, in MiB. When it is full, the oldest pictures of requests that have ended are evicted; when there are none, new
    /// requests are refused. 32 to 65536, and at least the largest picture. Default: 512, or a sixth of the memory that the process may use
    /// when that is less.
    /// </summary>
    [Range(32, 65536)]
    public int PictureMemoryMegabytes { get; set; } = (int)Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 6 >> 20, 32, 512);

    /// <summary>
    /// Share of <see cref="PictureMemoryMegabytes"/> that pictures of open requests of one named caller may use, of what the other callers
    /// leave. One picture is always accepted while there is room. Callers without a name have no such limit. 0.01 to 1; default 0.5.
    /// </summary>
    [Range(0.01, 1.0)]
    public double CallerPictureShare { get; set; } = 0.5;

    /// <summary>Port of the picture memory, on loopback only. 1 to 65535, or 0 for any free port; default 0.</summary>
    [Range(0, 65535)]
    public int PicturePort { get; set; }

    /// <summary>Port of the embedded Redis-compatible server, on loopback only. 1 to 65535, or 0 for any free port; default 0.</summary>
    [Range(0, 65535)]
    public int RedisPort { get; set; }

    /// <summary>
    /// Password of the embedded servers: 16 to 128 letters, digits, '_' and '-'. Default: a random one at each start, known only to this
    /// process. Set it and both ports to let other processes of this machine join the cluster.
    /// </summary>
    [RegularExpression("[A-Za-z0-9_-]{16,128}", ErrorMessage = "The setting '{0}' must be 16 to 128 letters, digits, '_' and '-'.")]
    public string? RedisPassword { get; set; }
}
