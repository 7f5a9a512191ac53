using System.ComponentModel.DataAnnotations;
using System.Numerics;
using Detection.Inference.Pictures;

namespace Detection.Embedded;

/// <summary>Settings of the one-process cluster, section <c>Detection:Embedded</c>. Without effect when a Redis connection string is set.</summary>
public sealed class EmbeddedOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Embedded";

    /// <summary>
    /// Memory of the embedded Redis-compatible server, in MiB: cached results, of which the oldest go when it is full, and a quarter of it
    /// for what never goes: queues, webhooks, states of requests, membership. When that quarter is used up new requests are refused.
    /// 32 to 65536; default 256, less where the process may use less than 2 GiB: an eighth of it, rounded down to a power of two.
    /// </summary>
    [Range(32, 65536)]
    public int RedisMemoryMegabytes { get; set; } = 1 << BitOperations.Log2((uint)Math.Clamp(ProcessMemory.Available / 8 >> 20, 32, 256));

    /// <summary>
    /// Memory of pictures, in MiB. When it is full the oldest go of those whose requests have ended; while every one in it belongs to
    /// a request that has not, new requests are refused. 32 to 65536, and room for the largest picture; default 512,
    /// or a sixth of the memory that the process may use where that is less.
    /// </summary>
    [Range(32, 65536)]
    public int PictureMemoryMegabytes { get; set; } = (int)Math.Clamp(ProcessMemory.Available / 6 >> 20, 32, 512);

    /// <summary>
    /// How much of <see cref="PictureMemoryMegabytes"/> the pictures of one named caller may take that its requests need, when it is alone;
    /// with others the same share of what they leave. One picture is always taken while there is room. Callers without a name have no such
    /// limit. 0.01 to 1; default 0.5.
    /// </summary>
    [Range(0.01, 1.0)]
    public double CallerPictureShare { get; set; } = 0.5;

    /// <summary>Port on which the pictures are reached, on loopback only. 0 (any free one) to 65535; default 0.</summary>
    [Range(0, 65535)]
    public int PicturePort { get; set; }

    /// <summary>Port of the embedded server, on loopback only. 0 (any free one) to 65535; default 0.</summary>
    [Range(0, 65535)]
    public int RedisPort { get; set; }

    /// <summary>
    /// Password of the embedded server: 16 to 128 letters, digits, '_' and '-'. Default: a random one for each start, which nothing
    /// outside this process knows. With one that is set, and both ports, other processes of this machine may join the cluster.
    /// </summary>
    [RegularExpression("[A-Za-z0-9_-]{16,128}", ErrorMessage = "The setting '{0}' must be 16 to 128 letters, digits, '_' and '-'.")]
    public string? RedisPassword { get; set; }
}
