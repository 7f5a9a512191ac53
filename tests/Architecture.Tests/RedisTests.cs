namespace Detection.Architecture.Tests;

/// <summary>Only the stores know the keys of Redis and send commands to it.</summary>
public sealed class RedisTests
{
    private static readonly string[] Stores = ["Store", "Queue", "Board", "Guard", "Keeper", "Upkeep", "Extensions"];

    /// <summary>These check whether Redis answers, and use no key.</summary>
    private static readonly string[] OnlyAsk = ["Check", "Reach", "Wait"];

    private static readonly string[] Commands = ["IDatabase", "IDatabaseAsync", "ITransaction", "IBatch"];

    [Fact]
    public void Only_stores_know_the_keys() => Violations.Compare(
        "users-of-redis-keys",
        "These types use RedisKeys. Keys are for the stores of Contracts/Storage, queues, boards and what looks after one key of its own:",
        Product.Uses.Where(static use => use.Used is { Project: "Contracts", Name: "RedisKeys" } && !IsStore(use.User)));

    [Fact]
    public void Only_stores_send_commands() => Violations.Compare(
        "users-of-redis-commands",
        "These types send commands to Redis. That is for the stores of Contracts/Storage, queues, boards and what looks after one key of its own:",
        from use in Product.Uses
        where use.Used.Namespace == "StackExchange.Redis" && Commands.Contains(use.Used.Name) && !IsStore(use.User) && !OnlyAsk.Any(end => use.User.Name.EndsWith(end, StringComparison.Ordinal))
        select (use.User.ToString(), use.ToString()));

    private static bool IsStore(TypeName type) =>
        (type.Project == "Contracts" && Product.FolderOf(type) == "Storage")
        || (type.Project == "Client" && type.Name is "ClusterConnection" or "ClientConnections")
        || Stores.Any(end => type.Name.EndsWith(end, StringComparison.Ordinal));
}
