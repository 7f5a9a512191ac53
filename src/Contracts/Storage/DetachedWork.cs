namespace Detection.Contracts.Storage;

/// <summary>Work that lives longer than the request that starts it.</summary>
public static class DetachedWork
{
    /// <summary>
    /// Runs work on the thread pool without the caller's ambient values (<see cref="AsyncLocal{T}"/>). A connection would otherwise keep the trace,
    /// the log scopes and the HTTP request of its first caller while it is open.
    /// </summary>
    public static Task<T> Run<T>(Func<Task<T>> work)
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            return Task.Run(work);
        }

        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(work);
        }
    }
}
