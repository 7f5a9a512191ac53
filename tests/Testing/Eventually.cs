using System.Diagnostics;
using System.Runtime.CompilerServices;
using Xunit;

namespace Detection.Testing;

/// <summary>Waits for a condition instead of a fixed time.</summary>
public static class Eventually
{
    /// <summary>How long a test waits for an event that should happen soon, on a busy machine.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Repeats <paramref name="condition"/> until it is true. A condition that throws is not true yet; when the deadline passes, its last exception
    /// is shown and is the inner exception. The wait also ends when the running test ends.
    /// </summary>
    /// <param name="condition">The condition. Its token is cancelled at the deadline.</param>
    /// <param name="deadline">Maximum wait.</param>
    /// <param name="because">Meaning of the condition: "the silo left the cluster".</param>
    /// <exception cref="TimeoutException">The deadline passed.</exception>
    public static async Task Async(
        Func<CancellationToken, Task<bool>> condition,
        TimeSpan deadline,
        string because,
        [CallerArgumentExpression(nameof(condition))] string expression = "")
    {
        ArgumentNullException.ThrowIfNull(condition);
        var cancellation = TestContext.Current.CancellationToken;
        var clock = Stopwatch.StartNew();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(deadline);
        Exception? last = null;
        var asked = 0;
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                asked++;
                // WaitAsync: a condition that ignores its token must not outlive the deadline.
                if (await condition(limit.Token).WaitAsync(limit.Token))
                {
                    return;
                }

                last = null;
            }
            catch (Exception exception) when (!cancellation.IsCancellationRequested && exception is not ConditionHopelessException)
            {
                if (!limit.IsCancellationRequested || last is null)
                {
                    last = exception;
                }
            }

            cancellation.ThrowIfCancellationRequested();
            if (clock.Elapsed >= deadline)
            {
                throw new TimeoutException(
                    $"Not within {deadline.TotalSeconds:0.###} s: {because}. Asked {asked} times: {expression}"
                    + (last is null ? "" : $"; the last time it threw {last.GetType().Name}: {last.Message}"),
                    last);
            }

            await Task.Delay(pause, cancellation);
        }
    }

    /// <inheritdoc cref="Async(Func{CancellationToken, Task{bool}}, TimeSpan, string, string)"/>
    public static Task Async(
        Func<Task<bool>> condition,
        TimeSpan deadline,
        string because,
        [CallerArgumentExpression(nameof(condition))] string expression = "")
    {
        ArgumentNullException.ThrowIfNull(condition);
        return Async(_ => condition(), deadline, because, expression);
    }

    /// <inheritdoc cref="Async(Func{CancellationToken, Task{bool}}, TimeSpan, string, string)"/>
    [OverloadResolutionPriority(1)] // for conditions that only throw
    public static Task Async(
        Func<bool> condition,
        TimeSpan deadline,
        string because,
        [CallerArgumentExpression(nameof(condition))] string expression = "")
    {
        ArgumentNullException.ThrowIfNull(condition);
        return Async(_ => Task.FromResult(condition()), deadline, because, expression);
    }
}
