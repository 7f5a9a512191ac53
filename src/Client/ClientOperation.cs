using Detection.Contracts.Storage;
using Detection.Objects;
using StackExchange.Redis;

namespace Detection.Client;

/// <summary>One request of a caller and its deadline.</summary>
internal sealed class ClientOperation : IDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);

    private readonly TimeProvider _time;
    private readonly DateTimeOffset _deadline;
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _linked;

    public ClientOperation(DetectionOptions options, TimeSpan defaultDeadline, TimeProvider time, CancellationToken cancellationToken)
    {
        Options = options;
        _time = time;
        var budget = options.Deadline ?? defaultDeadline;
        _deadline = time.GetUtcNow() + budget;
        _timeout = new CancellationTokenSource(budget, time);
        _linked = CancellationTokenSource.CreateLinkedTokenSource(_timeout.Token, cancellationToken);
    }

    public DetectionOptions Options { get; }

    public string? ImageKey { get; set; }

    /// <summary>
    /// The model as <c>name@version</c>, <c>unknown</c> until it is known to be served. So a metric never has a label that a caller invented.
    /// </summary>
    public string Model { get; set; } = "unknown";

    /// <summary>How the request ended, for metrics and traces.</summary>
    public string Outcome { get; set; } = "cancelled";

    /// <summary>Number of retries.</summary>
    public int Retries { get; set; }

    /// <summary>Cancelled at the deadline, and when the caller cancels.</summary>
    public CancellationToken Token => _linked.Token;

    /// <summary>Time left until the deadline, always above zero.</summary>
    public TimeSpan Left
    {
        get
        {
            var left = _deadline - _time.GetUtcNow();
            return left > TimeSpan.FromMilliseconds(1) ? left : TimeSpan.FromMilliseconds(1);
        }
    }

    public void ThrowIfCancelled() => Token.ThrowIfCancellationRequested();

    /// <summary>
    /// Whether a retry can succeed: the failure is that of one silo, one connection, or a silo's connection to Redis. A silo also cancels a call that
    /// it could not place in time because another silo does not respond.
    /// </summary>
    public bool CanRetry(Exception e) =>
        (e is TimeoutException or OrleansException or RedisException && !RedisConnection.IsFull(e))
        || (e is OperationCanceledException && !Token.IsCancellationRequested);

    /// <summary>Waits before a retry.</summary>
    /// <param name="times">Multiple of the shortest delay.</param>
    public Task BackOffAsync(int times = 1) => Task.Delay(RetryDelay * times, _time, Token);

    /// <param name="why">Why there was no result, a sentence; <see langword="null"/> when it is not known.</param>
    public DetectionException DeadlineExceeded(string? why = null) =>
        Error(FailureReason.DeadlineExceeded, $"The deadline passed before there was a result.{(why is null ? "" : $" {why}")}");

    public DetectionException Error(FailureReason reason, string message, TimeSpan? retryAfter = null, Exception? inner = null)
    {
        Outcome = ClientMetrics.Outcome(reason);
        return new(reason, message, retryAfter, inner) { ImageKey = ImageKey };
    }

    public void Dispose()
    {
        _linked.Dispose();
        _timeout.Dispose();
    }
}
