package holdfast

// The sentences that the server says to people, with the English text of each.
const (
	// Job sessions: their log and what they ended with.
	SayStarted           Sentence = "job.started"
	SayStartedBySchedule Sentence = "job.schedule"
	SayRetryStarted      Sentence = "job.retry"
	SayFound             Sentence = "job.found"
	SayChatsBefore       Sentence = "job.chats"
	SayFoldersLeftOut    Sentence = "job.folders"
	SaySitesBySecret     Sentence = "job.secret"
	SayLeftScope         Sentence = "job.left"
	SayMoreLeftScope     Sentence = "job.left more"
	SayOldDirectory      Sentence = "job.directory"
	SayNoDirectory       Sentence = "job.no directory"
	SayRunLeftOut        Sentence = "job.left out"
	SayStopping          Sentence = "job.stopping"
	SayStoppedBy         Sentence = "job.stopped by"
	SayWindowEnded       Sentence = "job.window"
	SayFinished          Sentence = "job.finished"
	SayFinishedWarning   Sentence = "job.warning"
	SayFailed            Sentence = "job.failed"
	SayStopped           Sentence = "job.stopped"
	SayAgain             Sentence = "job.again"
	SayNoneUpdated       Sentence = "outcome.none"
	SaySomeLeftSkipped   Sentence = "outcome.left and skipped"
	SaySomeLeft          Sentence = "outcome.left"
	SaySomeSkipped       Sentence = "outcome.skipped"
	SayNothingInScope    Sentence = "outcome.nothing"
	SayNoPoint           Sentence = "outcome.no point"
	SayGroupUnknown      Sentence = "scope.group unknown"
	SayGroupGone         Sentence = "scope.group gone"
	SayNoArchives        Sentence = "scope.archives"
	SayPersonalSites     Sentence = "job.personal sites"
	// One object of a session, and why it is not up to date.
	SayObject            Sentence = "object"
	SayOf                Sentence = "object.why"
	SayUpToDate          Sentence = "object.current"
	SayObjectStopped     Sentence = "object.stopped"
	SayNotUpdated        Sentence = "object.not updated"
	SayItemsSkipped      Sentence = "object.skipped"
	SayItemsSkippedSuch  Sentence = "object.skipped such"
	SayItemSkipped       Sentence = "item.skipped"
	SayItemSkippedMore   Sentence = "item.skipped more"
	SaySkip              Sentence = "skip"
	SayGivenUp           Sentence = "object.given up"
	SayNoResult          Sentence = "object.no result"
	SayLeftOrganization  Sentence = "object.gone"
	SayUnreadable        Sentence = "object.unreadable"
	SayUnreadableBecause Sentence = "object.unreadable because"
	SayUserGone          Sentence = "object.user gone"
	SayGroupLeft         Sentence = "object.group gone"
	SayNoMailbox         Sentence = "object.no mailbox"
	SayNoOneDrive        Sentence = "object.no drive"
	SayNoGroupMailbox    Sentence = "object.no group mailbox"
	SayNoTeams           Sentence = "object.no teams"
	// What a check of an organization finds, and what to do about it.
	SaySignInFirst      Sentence = "fix.sign-in"
	SaySignedIn         Sentence = "check.signed in"
	SayPresent          Sentence = "check.present"
	SayMissing          Sentence = "check.missing"
	SayMissingPart      Sentence = "check.missing part"
	SayMissingExport    Sentence = "check.missing export"
	SayTooMuch          Sentence = "check.too much"
	SayAddPermission    Sentence = "fix.add"
	SayRemovePermission Sentence = "fix.remove"
	SayLookAtRights     Sentence = "fix.workload"
	SaySetClock         Sentence = "fix.clock"
	SayBySecret         Sentence = "check.secret"
	SayCertificateEnds  Sentence = "check.certificate"
	SayRequests         Sentence = "check.requests"
	SaySpreadJobs       Sentence = "fix.throttling"
	SayMailAdvanced     Sentence = "note.mail advanced"
	SayExportMeant      Sentence = "note.mail export"
	SayUsersListed      Sentence = "probe.users"
	SayNobodyHas        Sentence = "probe.nobody"
	SayInboxRead        Sentence = "probe.inbox"
	SayInboxReadByLists Sentence = "probe.inbox by lists"
	SayDriveRead        Sentence = "probe.drive"
	SayDriveReadQuota   Sentence = "probe.drive quota"
	SayNoSites          Sentence = "probe.no sites"
	SaySiteRead         Sentence = "probe.site"
	SaySiteReadBySecret Sentence = "probe.site by secret"
	SayTeamless         Sentence = "probe.no teams"
	SayTeamRead         Sentence = "probe.team"
	SayTeamReadPosts    Sentence = "probe.team and posts"
	SayChatsListed      Sentence = "probe.chats"
	// What a permission of the application is for.
	SayForOrganization       Sentence = "permission.organization"
	SayForUsers              Sentence = "permission.users"
	SayForGroups             Sentence = "permission.groups"
	SayForMail               Sentence = "permission.mail"
	SayForMailBack           Sentence = "permission.mail back"
	SayForExport             Sentence = "permission.export"
	SayForImport             Sentence = "permission.import"
	SayForItems              Sentence = "permission.items"
	SayForItemsBack          Sentence = "permission.items back"
	SayForCalendars          Sentence = "permission.calendars"
	SayForContacts           Sentence = "permission.contacts"
	SayForTasks              Sentence = "permission.tasks"
	SayForSettings           Sentence = "permission.settings"
	SayForEventsBack         Sentence = "permission.events back"
	SayForContactsBack       Sentence = "permission.contacts back"
	SayForTasksBack          Sentence = "permission.tasks back"
	SayForSettingsBack       Sentence = "permission.settings back"
	SayForFiles              Sentence = "permission.files"
	SayForFilesBack          Sentence = "permission.files back"
	SayForLargeFiles         Sentence = "permission.large files"
	SayForSites              Sentence = "permission.sites"
	SayForSitesBack          Sentence = "permission.sites back"
	SayForLists              Sentence = "permission.lists"
	SayForSharePoint         Sentence = "permission.sharepoint"
	SayForSharePointBack     Sentence = "permission.sharepoint back"
	SayForTeams              Sentence = "permission.teams"
	SayForChannels           Sentence = "permission.channels"
	SayForTeamMembers        Sentence = "permission.team members"
	SayForChannelMembers     Sentence = "permission.channel members"
	SayForPosts              Sentence = "permission.posts"
	SayForTeamsBack          Sentence = "permission.teams back"
	SayForTeamMembersBack    Sentence = "permission.team members back"
	SayForChannelMembersBack Sentence = "permission.channel members back"
	SayForChats              Sentence = "permission.chats"
	SayForChatsBack          Sentence = "permission.chats back"
	SayForMessagesBack       Sentence = "permission.messages back"
	SayForPostsBack          Sentence = "permission.posts back"
	// Previews, and the places of repositories.
	SayNoMail             Sentence = "preview.no mail"
	SayManyParts          Sentence = "preview.parts"
	SayGarbled            Sentence = "preview.garbled"
	SayTextGarbled        Sentence = "preview.text"
	SayAttachmentGarbled  Sentence = "preview.attachment"
	SayNoPageText         Sentence = "preview.page"
	SayNoPreview          Sentence = "preview.kind"
	SayNoPreviewBecause   Sentence = "preview.none"
	SayImageLarge         Sentence = "preview.image large"
	SayImageGarbled       Sentence = "preview.image garbled"
	SayImageMany          Sentence = "preview.image pixels"
	SayLocked             Sentence = "preview.locked"
	SayKitMissing         Sentence = "warning.kit"
	SayOutOfSync          Sentence = "warning.sync"
	SayCertificateWillEnd Sentence = "warning.certificate"
	SayCertificateDidEnd  Sentence = "warning.certificate ended"
	SayPlaceUnreadable    Sentence = "place.unreadable"
	// Restore sessions, and what the audit chain says of acts.
	SayExploredAll         Sentence = "session.everywhere"
	SayExploredAllIn       Sentence = "session.everywhere in"
	SayExplored            Sentence = "session.organization"
	SayExploredIn          Sentence = "session.organization in"
	SayExploredJob         Sentence = "session.job"
	SayOpenedNewest        Sentence = "audit.newest"
	SayOpenedNewestFor     Sentence = "audit.newest for"
	SayOpenedAt            Sentence = "audit.state"
	SayOpenedAtFor         Sentence = "audit.state for"
	SayItemOf              Sentence = "audit.item"
	SayItemsOf             Sentence = "audit.items"
	SayRestored            Sentence = "audit.restore"
	SayRestoredFor         Sentence = "audit.restore for"
	SayComparedPoint       Sentence = "audit.compared"
	SayComparedLive        Sentence = "audit.compared live"
	SayPreviewed           Sentence = "audit.preview"
	SayListRead            Sentence = "audit.list"
	SayRunAsked            Sentence = "audit.run"
	SayFullRunAsked        Sentence = "audit.full run"
	SayRunBySchedule       Sentence = "audit.run by schedule"
	SayJobSet              Sentence = "audit.job"
	SayNotScheduled        Sentence = "schedule.none"
	SayDaily               Sentence = "schedule.daily"
	SayContinuously        Sentence = "schedule.continuously"
	SayEvery               Sentence = "schedule.every"
	SayOrganizationAdded   Sentence = "audit.organization"
	SayOrganizationKept    Sentence = "audit.organization kept"
	SayOrganizationChanged Sentence = "audit.organization changed"
	SayCertificateRenewed  Sentence = "audit.certificate"
	SayRegistered          Sentence = "audit.registered"
	SayRecoverySpent       Sentence = "audit.recovery"
	SayTokenReused         Sentence = "audit.reuse"
	SayPasskeyCopied       Sentence = "audit.copied"
	SayRoleForAll          Sentence = "audit.role"
	SayRoleForSome         Sentence = "audit.role some"
	SayPortalOpen          Sentence = "audit.portal open"
	SayPortalClosed        Sentence = "audit.portal closed"
	SayMailOn              Sentence = "audit.mail on"
	SayMailOff             Sentence = "audit.mail off"
	SayMailTested          Sentence = "audit.mail test"
	SaySentTo              Sentence = "audit.sent"
	SayExpired             Sentence = "audit.expired"
	SayKeyMade             Sentence = "audit.key"
	SayUserMade            Sentence = "audit.user"
	SayRetentionSet        Sentence = "audit.retention"
	SayRetentionChanged    Sentence = "audit.retention changed"
	SayForEver             Sentence = "period.forever"
	SayDays                Sentence = "period.days"
	SayMonths              Sentence = "period.months"
	SayYears               Sentence = "period.years"
	// What a walk of the audit chain finds.
	SayChainUntold      Sentence = "chain.untold"
	SayChainUntoldAfter Sentence = "chain.untold after"
	SayChainMissing     Sentence = "chain.missing"
	SayChainOrder       Sentence = "chain.order"
	SayChainChanged     Sentence = "chain.changed"
	SayChainOther       Sentence = "chain.other"
	SayChainShort       Sentence = "chain.short"
	// Limits of Microsoft's, and the search index.
	SayApplication     Sentence = "check.application"
	SayLimitUploads    Sentence = "limit.uploads"
	SayLimitRequests   Sentence = "limit.requests"
	SayLimitUnits      Sentence = "limit.units"
	SayLimitChat       Sentence = "limit.chat"
	SayNotAllIndexed   Sentence = "index.some"
	SayIndexPoints     Sentence = "index.points"
	SayIndexContainers Sentence = "index.containers"
	SayIndexPoint      Sentence = "index.point"
	SayIndexState      Sentence = "index.state"
	SayIndexDamaged    Sentence = "index.damaged"
	SayIndexFolder     Sentence = "index.folder"
	SayIndexOpen       Sentence = "index.open"
	SayIndexGarbled    Sentence = "index.garbled"
	SayIndexRemade     Sentence = "index.remade"
)

var sentences = []sentence{
	{SayStarted, "Job started by {by}"},
	{SayStartedBySchedule, "Job started by schedule"},
	{SayRetryStarted, "Retry {n} of {m} started"},
	{SayFound, "Found {n} objects to protect"},
	{SayChatsBefore, "{n} chats have the state before; {container}: {why}"},
	{SayFoldersLeftOut, "Left out of all mailboxes, as the exclusions say: {folders}"},
	{SaySitesBySecret, "Of {n} sites attachments, permissions and views are not read: the application of {organization} signs in by a secret, and SharePoint takes only those that sign in by a certificate. Give it one: 'holdfast org renew {name} --sign-in', or in the console Organizations, New secret or certificate"},
	{SayLeftScope, "{n} objects are no longer in the job's scope, what is stored of them stays until their restore points expire: {names}"},
	{SayMoreLeftScope, "{n} objects are no longer in the job's scope, what is stored of them stays until their restore points expire: {names} and others"},
	{SayOldDirectory, "The directory could not be read anew; users and groups are those of {time}: {why}"},
	{SayNoDirectory, "The directory could not be read anew, and all users are asked for: {why}"},
	{SayRunLeftOut, "A scheduled run was left out because this one still runs"},
	{SayStopping, "Stopping: {why}"},
	{SayStoppedBy, "stopped by {user}"},
	{SayWindowEnded, "the backup window has ended"},
	{SayFinished, "Job finished"},
	{SayFinishedWarning, "Job finished with warnings: {why}"},
	{SayFailed, "Job failed: {why}"},
	{SayStopped, "Job stopped: {why}"},
	{SayAgain, "{why}; it will be tried again at {time}"},
	{SayNoneUpdated, "none of {n} objects could be brought up to date; {why}"},
	{SaySomeLeftSkipped, "{n} of {m} objects are not up to date and {k} items were skipped; {why}"},
	{SaySomeLeft, "{n} of {m} objects are not up to date; {why}"},
	{SaySomeSkipped, "{n} items were skipped; {why}"},
	{SayNothingInScope, "nothing was found that the job's scope covers"},
	{SayNoPoint, "no restore point was written"},
	{SayGroupUnknown, "group {name} was not found in the organization: nothing of it is protected"},
	{SayGroupGone, "group {name} is no longer in the organization: its {n} members as they were last known stay protected; choose them by another item"},
	{SayNoArchives, "archive mailboxes, of those who have one, are not protected: {n} items of the job ask for them, and this version of Holdfast does not read them; change the items not to ask for them"},
	{SayPersonalSites, "{n} personal sites are read without the library that is their user's OneDrive: an object of its own, which a job takes as OneDrive"},
	{SayObject, "{kind} of {address}"},
	{SayOf, "{container}: {why}"},
	{SayUpToDate, "{container}: up to date"},
	{SayObjectStopped, "{container}: stopped"},
	{SayNotUpdated, "{container}: not updated: {why}"},
	{SayItemsSkipped, "{container}: {n} items skipped"},
	{SayItemsSkippedSuch, "{container}: {n} items skipped; {more}"},
	{SayItemSkipped, "\"{name}\": {skip}: {why}"},
	{SayItemSkippedMore, "\"{name}\": {skip}: {why}; {more}"},
	{SaySkip, "{skip}: {why}"},
	{SayGivenUp, "given up: {n} attempts ended without a result"},
	{SayNoResult, "the backup reported no result"},
	{SayLeftOrganization, "it is not in the organization any more"},
	{SayUnreadable, "its last state can't be read any more, run 'holdfast vault verify'"},
	{SayUnreadableBecause, "its last state can't be read any more, run 'holdfast vault verify'; {why}"},
	{SayUserGone, "the user is no longer in the organization"},
	{SayGroupLeft, "the group is no longer in the organization"},
	{SayNoMailbox, "the user has no mailbox; assign a licence with Exchange Online, or take the mailbox out of the job"},
	{SayNoOneDrive, "the user has no OneDrive: it comes into being when it is first opened, with a licence that has it"},
	{SayNoGroupMailbox, "only Microsoft 365 groups have a mailbox"},
	{SayNoTeams, "Microsoft has no Teams in this cloud"},
	{SaySignInFirst, "put right what it says; the other checks need a sign-in"},
	{SaySignedIn, "signed in to tenant {tenant}"},
	{SayPresent, "present, {why}"},
	{SayMissing, "missing, needed {why}"},
	{SayMissingPart, "missing, needed {why}; without it that part is left out"},
	{SayMissingExport, "missing, needed {why}; without it mail is read and made by slower ways, which know less of it"},
	{SayTooMuch, "too much: nothing that is protected here needs it"},
	{SayAddPermission, "in Entra, under App registrations > API permissions, add it as an application permission and grant admin consent; or have it registered anew: holdfast org remove, then holdfast org add without --application"},
	{SayRemovePermission, "in Entra, under App registrations > API permissions, remove it"},
	{SayLookAtRights, "see whether the rights above are all there, and whether the workload is licensed"},
	{SaySetClock, "set this machine's clock by NTP; Entra refuses a sign-in that is off by five minutes"},
	{SayBySecret, "the application signs in with a secret, which SharePoint itself does not take and which ends without a word"},
	{SayCertificateEnds, "ends on {day}"},
	{SayRequests, "this check made {n} requests and was told {m} times to wait; the newest sessions of the jobs waited {time} in all"},
	{SaySpreadJobs, "let jobs begin at different times; see whether other programs use up the tenant's limits"},
	{SayMailAdvanced, "from 31 December 2026 Microsoft lets an application change subject, body and recipients of mails that are not drafts only with Mail-Advanced.ReadWrite.All; Holdfast creates restored mails and never changes them so, and does not need it"},
	{SayExportMeant, "Microsoft says of its mailbox import and export interface that it is not meant for backup and restore, and points at Microsoft 365 Backup; it is guidance, nothing is blocked"},
	{SayUsersListed, "users are listed"},
	{SayNobodyHas, "none of the first {n} users has it"},
	{SayInboxRead, "the inbox of {user} can be read"},
	{SayInboxReadByLists, "the inbox of {user} can be read; this cloud has no list of changes, so each backup compares lists"},
	{SayDriveRead, "the drive of {user} can be read"},
	{SayDriveReadQuota, "the drive of {user} can be read; {used} of {total} GiB of its quota are used ({state})"},
	{SayNoSites, "the organization has none"},
	{SaySiteRead, "{site} can be read"},
	{SaySiteReadBySecret, "{site} can be read; attachments, permissions and views can't, for SharePoint itself takes only applications that sign in by certificate"},
	{SayTeamless, "the organization has no team"},
	{SayTeamRead, "the team {team} and its channels can be read"},
	{SayTeamReadPosts, "the team {team}, its channels and posts can be read"},
	{SayChatsListed, "the chats of {user} can be listed"},
	{SayForOrganization, "to know the organization by its id and name"},
	{SayForUsers, "to list the users whose data is protected"},
	{SayForGroups, "to list groups"},
	{SayForMail, "to read mailboxes"},
	{SayForMailBack, "to put mail back"},
	{SayForExport, "to read mail as Exchange exports it"},
	{SayForImport, "to put back mail as Exchange exported it"},
	{SayForItems, "to find contact groups, journal entries and notes in subfolders"},
	{SayForItemsBack, "to make the folders of contact groups, the journal and notes again"},
	{SayForCalendars, "to read calendars"},
	{SayForContacts, "to read contacts"},
	{SayForTasks, "to read tasks"},
	{SayForSettings, "to read settings, rules and categories"},
	{SayForEventsBack, "to put events back"},
	{SayForContactsBack, "to put contacts back"},
	{SayForTasksBack, "to put tasks back"},
	{SayForSettingsBack, "to put settings, rules and categories back"},
	{SayForFiles, "to read OneDrive"},
	{SayForFilesBack, "to put files and their sharing back"},
	{SayForLargeFiles, "to upload large files"},
	{SayForSites, "to read sites, lists and libraries"},
	{SayForSitesBack, "to put items, files and pages back"},
	{SayForLists, "to make lists and columns again"},
	{SayForSharePoint, "to read attachments, permissions and views of sites"},
	{SayForSharePointBack, "to put attachments, permissions, authors and times of sites back"},
	{SayForTeams, "to read teams"},
	{SayForChannels, "to read channels"},
	{SayForTeamMembers, "to read who is in a team"},
	{SayForChannelMembers, "to read who is in private and shared channels"},
	{SayForPosts, "to read posts"},
	{SayForTeamsBack, "to make teams, channels, tabs and apps again"},
	{SayForTeamMembersBack, "to put members of teams back"},
	{SayForChannelMembersBack, "to put members of channels back"},
	{SayForChats, "to read chats"},
	{SayForChatsBack, "to make chats again"},
	{SayForMessagesBack, "to put messages of chats back with their authors and times"},
	{SayForPostsBack, "to put posts back with their authors and times"},
	{SayNoMail, "this is not a mail that can be taken apart: {detail}"},
	{SayManyParts, "the mail has more than {n} parts, or they lie more than {m} deep in each other: the rest is not shown"},
	{SayGarbled, "the mail is garbled from some part on: {detail}"},
	{SayTextGarbled, "a text of the mail can't be decoded to its end: {detail}"},
	{SayAttachmentGarbled, "attachment \"{name}\" can't be decoded to its end: {detail}"},
	{SayNoPageText, "this page has no text: download it to see what it is made of"},
	{SayNoPreview, "there is no preview of this kind of file: download it"},
	{SayNoPreviewBecause, "there is no preview: {why}"},
	{SayImageLarge, "the image has more than {n} MiB: download it"},
	{SayImageGarbled, "the image is garbled"},
	{SayImageMany, "the image has {n} by {m} pixels: download it"},
	{SayLocked, "the file is protected by a password"},
	{SayKitMissing, "the recovery kit of repository \"{name}\" was never exported: without it nothing can be read when this server is lost; run: holdfast repo kit {quoted} --out FILE"},
	{SayOutOfSync, "repository \"{name}\" holds what the catalogue does not: synchronize it"},
	{SayCertificateWillEnd, "the certificate of organization {name} ends on {day}: after that nothing is backed up; run: holdfast org renew {quoted}"},
	{SayCertificateDidEnd, "the certificate of organization {name} ended on {day}: after that nothing is backed up; run: holdfast org renew {quoted}"},
	{SayPlaceUnreadable, "the place can't be read now"},
	{SayExploredAll, "{service} of all organizations"},
	{SayExploredAllIn, "{service} of all organizations in repository {title}"},
	{SayExplored, "{service} of organization {domain}"},
	{SayExploredIn, "{service} of organization {domain} in repository {title}"},
	{SayExploredJob, "{service} of backup job {title}"},
	{SayOpenedNewest, "{session}, newest state"},
	{SayOpenedNewestFor, "{session}, newest state, {reason}"},
	{SayOpenedAt, "{session}, state of {time}"},
	{SayOpenedAtFor, "{session}, state of {time}, {reason}"},
	{SayItemOf, "1 item of {container}"},
	{SayItemsOf, "{n} items of {container}"},
	{SayRestored, "{what} to {address}, mode {mode}, application {application}"},
	{SayRestoredFor, "{what} to {address}, mode {mode}, application {application}, reason: {reason}"},
	{SayComparedPoint, "compared {container} with restore point {id}"},
	{SayComparedLive, "compared {container} with Microsoft 365"},
	{SayPreviewed, "preview of {item} in {container}"},
	{SayListRead, "values of list {item} in {container}"},
	{SayRunAsked, "{title}, full: false"},
	{SayFullRunAsked, "{title}, full: true"},
	{SayRunBySchedule, "{title}, by schedule"},
	{SayJobSet, "{title} of {name}, {scope}, {schedule}"},
	{SayNotScheduled, "not scheduled"},
	{SayDaily, "{days} at {clock}"},
	{SayContinuously, "continuously"},
	{SayEvery, "every {every}"},
	{SayOrganizationAdded, "{name}, application {application}"},
	{SayOrganizationKept, "{name}, application {application}, credential changed: false"},
	{SayOrganizationChanged, "{name}, application {application}, credential changed: true"},
	{SayCertificateRenewed, "{name}, application {application}, certificate {thumbprint}"},
	{SayRegistered, "{name} in tenant {tenant}, by {person}"},
	{SayRecoverySpent, "a recovery code was spent"},
	{SayTokenReused, "a spent {token} token was used again; its login ends"},
	{SayPasskeyCopied, "{name}: its counter went from {n} to {m}"},
	{SayRoleForAll, "{name}: {n} operators, all objects, {m} excluded, acts [{acts}]"},
	{SayRoleForSome, "{name}: {n} operators, {k} objects, {m} excluded, acts [{acts}]"},
	{SayPortalOpen, "enabled: true, application {client}, address {url}"},
	{SayPortalClosed, "enabled: false, application {client}, address {url}"},
	{SayMailOn, "mail is sent by {host} at port {n}, from {mail}"},
	{SayMailOff, "no mail is sent"},
	{SayMailTested, "a test mail to {mail}"},
	{SaySentTo, "{what} by mail to {mail}"},
	{SayExpired, "of {time}, retention of repository {title} is {period}"},
	{SayKeyMade, "{name}, {role}, until {time}"},
	{SayUserMade, "{name}, {role}"},
	{SayRetentionSet, "{name}, retention {period}"},
	{SayRetentionChanged, "{name}, retention {period}, before {earlier}"},
	{SayForEver, "for ever"},
	{SayDays, "{n} days"},
	{SayMonths, "{n} months"},
	{SayYears, "{n} years"},
	{SayChainUntold, "it can't be told whether the newest entries were cut off, or somebody who can write the database wrote the chain anew, at any entry, since no head that was noted down was given: keep number and hash of the last entry elsewhere"},
	{SayChainUntoldAfter, "it can't be told whether the newest entries were cut off, or somebody who can write the database wrote the chain anew, after entry {n}: keep number and hash of the last entry elsewhere"},
	{SayChainMissing, "audit entry {n} is missing: entry {m} follows entry {k}"},
	{SayChainOrder, "audit entry {n} does not follow entry {m}"},
	{SayChainChanged, "audit entry {n} is not what was written"},
	{SayChainOther, "audit entry {n} is not the one that was noted down"},
	{SayChainShort, "the audit chain ends at entry {n}, but entry {m} was noted down"},
	{SayApplication, "application {application}"},
	{SayLimitUploads, "150 MB of uploads to a mailbox in 5 minutes"},
	{SayLimitRequests, "10,000 requests to a mailbox in 10 minutes"},
	{SayLimitUnits, "1,250 resource units of SharePoint and OneDrive in a minute"},
	{SayLimitChat, "1 request to a chat in a second"},
	{SayNotAllIndexed, "{n} mailboxes or drives could not be indexed"},
	{SayIndexPoints, "list restore points: {why}"},
	{SayIndexContainers, "list containers: {why}"},
	{SayIndexPoint, "read restore point {id}: {why}"},
	{SayIndexState, "look up state {n} of {item}: {why}"},
	{SayIndexDamaged, "the search index of this organization was damaged and is being made anew: try again later: {why}"},
	{SayIndexFolder, "the folder of the search index can't be made: {why}"},
	{SayIndexOpen, "the search index can't be opened: {why}"},
	{SayIndexGarbled, "a run of the search index is garbled"},
	{SayIndexRemade, "the side file was made anew meanwhile"},
}
